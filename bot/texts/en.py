"""English."""

from bot.texts.texts import Counted, Texts


def counted(one: str, many: str) -> Counted:
    """1 review, 2 reviews."""

    def phrase(number: int) -> str:
        return f"{number} {one if number == 1 else many}"

    return phrase


ENGLISH = Texts(
    start=(
        "Send a film review in Russian, and two models will tell whether its author liked the film"
        " and guess the rating, 0 to 10.\n\n"
        "For example: <i>Сюжет предсказуем, зато актёры играют так, что веришь каждому слову.</i>"
        "\n\n"
        "Then tap the rating you gave yourself: it shows which model guesses better.\n\n"
        "/help – more about me, /privacy – about your data."
    ),
    help=(
        "<b>What to send</b>\n"
        "A film review in Russian: as text, as the caption of a photo or as a .txt file."
        " Long is fine, up to 20,000 characters. Edit your message and I answer again.\n\n"
        "<b>What the answer says</b>\n"
        "CLS and Mean are two models. They read alike but draw their conclusion differently:"
        " CLS from one special mark at the beginning, Mean from the average of all words."
        " The percentage beside the sentiment is how sure the model is;"
        " “±1” is the probability that it is off by no more than a point.\n\n"
        "<b>Commands</b>\n"
        "/history – your last reviews\n"
        "/export – all that is stored about you, in one file\n"
        "/forget – erase all of it\n"
        "/privacy – what is stored, and why\n\n"
        "<b>In a group</b>\n"
        "Reply to a review with /rate, or mention me next to the text."
    ),
    help_group=(
        "Reply to a film review with /rate, or mention me next to the review's text, and two models"
        " will tell whether its author liked the film and guess the rating."
        " Otherwise I stay out of the conversation."
    ),
    hello_group=(
        "Hello everyone! I guess the rating of a film from a review. Reply to someone's review with"
        " /rate; the rest of the time I am silent."
    ),
    privacy=(
        "<b>What is stored</b>\n"
        "• your Telegram number, your language, the time of your first and last message, without"
        " name or phone;\n"
        "• the texts of the reviews you sent, with the numbers of messages and chat; in a group,"
        " the text you asked me to rate, even if somebody else wrote it;\n"
        "• what the models predicted, your ratings and how you changed them.\n"
        "Other messages are kept only until I have answered them; then their number and time"
        " remain.\n\n"
        "<b>What for</b>\n"
        "To answer you, to compare the models and to train them on reviews that you rated.\n\n"
        "<b>For how long</b>\n"
        "Until you erase it. Copies of the database kept in case it breaks and models trained"
        " already stay as they are, but nothing erased is trained on again.\n\n"
        "<b>Who sees it</b>\n"
        "The owner of this bot and its admins. It is passed on to nobody else.\n\n"
        "/export – get all of it in a file, /forget – erase all of it."
    ),
    history_title="<b>Your last reviews</b>",
    history_empty="No reviews yet. Send your first one!",
    history_review="<b>{date}</b>\n“{text}”\n{predictions} · {rating}",
    history_your_rating="you {rating}",
    history_no_rating="not rated by you",
    date="%Y-%m-%d",
    export_caption="All that is stored about you. To erase it: /forget.",
    forget_question=(
        "Erase all that is stored about you: reviews, predictions and your ratings?"
        " It can't be brought back."
    ),
    forget_yes="Yes, erase everything",
    forget_no="No, keep it",
    forgotten="Erased: {reviews}, {ratings} and all the rest. Nothing about you is stored now.",
    forgotten_nothing="Nothing is stored about you, so there is nothing to erase.",
    kept="Nothing was erased.",
    rate_explained=(
        "Reply to a film review with /rate, or write the review right after the command, and I will"
        " tell what the models think of it."
    ),
    rate_explained_private="No command needed here: just send the review.",
    rate_anonymous=(
        "I can't see who is asking: you write in the name of a group or channel."
        " Please ask in your own name."
    ),
    unknown_command="I don't know this command. What I can do is in /help.",
    private_only="This is personal, so I answer it in a private chat only. Write to me there.",
    bad="Bad",
    neutral="Neutral",
    good="Good",
    sentiment_line="<b>{model}</b>  {face} {sentiment} · {share}%",
    rating_line="{stars}  <b>{rating}</b> of 10 (±1: {share}%)",
    agree="The models agree.",
    sentiments_differ="The models disagree: CLS says {cls}, Mean says {mean}.",
    ratings_differ="The models agree on the sentiment but not on the rating: {cls} and {mean}.",
    ask_rating="Which rating did you give?",
    please_rate="🙏 Please give your own rating: it shows which model is better.",
    your_rating="<b>Your rating: {rating}</b>",
    reviews=counted("review", "reviews"),
    ratings=counted("rating", "ratings"),
    messages=counted("message", "messages"),
    too_short="That is little for a review. Write a sentence or two: what was good, what wasn't?",
    only_rating="That is a rating already, and I guess it from the text. Write why it is so.",
    only_links="I don't follow links. Please send the text of the review itself.",
    only_symbols="I see the feeling, but I need words. Tell me about the film in a phrase or two.",
    not_russian="The models have learned from Russian reviews. Please send one in Russian.",
    too_long="This is over 20,000 characters, more than the models can take. Send a shorter one.",
    document_too_large="The file is over 100 KB. Please send a shorter review.",
    document_unreadable="I can't read this file as text. Please send the review as a message.",
    document_kind="Of files I read only .txt. You can also just send the review as a message.",
    channel_post=(
        "I don't rate posts from channels. If it is a review, copy its text and send it yourself."
    ),
    picture="I don't understand pictures. Tell me about the film in words, a sentence or two.",
    voice="I can't listen or watch. Please write the review as text.",
    sticker="Nice one! But I can only rate words. Tell me about the film in a sentence or two.",
    other_kind="I can't do anything with this. Send a film review as text.",
    edited_in_parts=(
        "This review came in several messages, and one of them was edited."
        " Send the edited review as a whole, and I will answer it anew."
    ),
    too_many="I can't keep up: {messages} a minute is all I can answer. Shall we pause for a bit?",
    busy="There are very many reviews right now and the queue is full. Send it again in a minute.",
    failed="Something broke on my side, sorry. Please try again a little later.",
    toast_rated="Saved: {rating}",
    toast_gone="This review is no longer there: it was erased.",
    toast_not_yours="Only the one who sent the review rates it. Send your own!",
    toast_old_button="This button no longer works.",
    toast_already_forgotten="Erased already.",
    menu_start="How to begin",
    menu_help="What I can do",
    menu_history="My last reviews",
    menu_privacy="What is stored, and why",
    menu_export="Get all that is stored about me",
    menu_forget="Erase everything about me",
    menu_rate="Rate the review you reply to",
)
