/** The one menu of the page: opened at a button, used by mouse, touch or arrow keys. */

import { element, icon } from "./element.js";

const menu = document.getElementById("menu");
let anchor = null;

/** An item: {label, icon?, hint?, select}. With `focus: false` the text field keeps the focus. */
export function openMenu(at, label, items, { focus = true } = {}) {
  anchor = at;
  anchor.setAttribute("aria-expanded", "true");
  menu.setAttribute("aria-label", label);
  menu.replaceChildren(...items.map(itemElement));
  menu.hidden = false;
  place();
  if (focus) menu.firstElementChild?.focus();
}

export function toggleMenu(at, label, items) {
  if (isOpenAt(at)) closeMenu();
  else openMenu(at, label, items);
}

export const isOpenAt = (at) => !menu.hidden && anchor === at;

export const focusMenu = () => menu.lastElementChild?.focus();

export function closeMenu() {
  if (menu.hidden) return;
  const hadFocus = menu.contains(document.activeElement);
  menu.hidden = true;
  anchor.setAttribute("aria-expanded", "false");
  if (hadFocus) anchor.focus();
}

function itemElement(item) {
  const onclick = () => {
    closeMenu();
    item.select();
  };
  return element(
    "button",
    { type: "button", role: "menuitem", class: "item", onclick },
    item.icon && icon(item.icon),
    element("span", { class: "item-label" }, item.label),
    item.hint && element("span", { class: "item-hint" }, item.hint),
  );
}

function place() {
  const button = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const isBelow = button.bottom + height + 12 < innerHeight && button.top < innerHeight / 2;
  const top = isBelow ? button.bottom + 6 : Math.max(8, button.top - height - 6);
  menu.style.top = `${top}px`;
  const left = button.left > innerWidth / 2 ? button.right - width : button.left;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
}

menu.addEventListener("keydown", (event) => {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) items.at((at + step) % items.length).focus();
  else if (event.key === "Home") items[0].focus();
  else if (event.key === "End") items.at(-1).focus();
  else if (event.key !== "Tab") return;
  else closeMenu();
  event.preventDefault();
});

document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenu());
document.addEventListener("pointerdown", (event) => {
  if (!menu.contains(event.target) && !anchor?.contains(event.target)) closeMenu();
});
addEventListener("resize", closeMenu);
