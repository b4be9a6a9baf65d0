"""An encoder that guesses masked words."""

from torch import Tensor, nn
from transformers import BertModel


class WordModel(nn.Module):
    """The encoder and a layer whose output is compared with the word embeddings, as in BERT."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        width = bert.config.hidden_size
        self.bert = bert
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, places: Tensor, words: Tensor
    ) -> Tensor:
        """Scores `[places, words]`.

        `places`: int64, which tokens of the flattened batch are to be guessed; `words`: int64, the
        candidates' token ids.
        """
        hidden = self.bert(input_ids, attention_mask).last_hidden_state  # [batch, tokens, width]
        guesses = self.transform(hidden.flatten(0, 1).index_select(0, places))
        scores: Tensor = guesses @ self.bert.embeddings.word_embeddings(words).mT
        return scores
