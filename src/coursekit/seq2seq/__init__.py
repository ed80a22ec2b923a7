"""Chapter 03: how networks read and write sequences (PyTorch)."""

from coursekit.seq2seq.attend import (
    AdditiveAttention,
    MultiplicativeAttention,
    attend,
    masked_softmax,
)
from coursekit.seq2seq.bleu import Bleu, corpus_bleu, ngrams
from coursekit.seq2seq.dates import date_pairs, written_date
from coursekit.seq2seq.grammar import write
from coursekit.seq2seq.recurrent import GRUCell, LSTMCell, RNNCell, gru_step, lstm_step, rnn_step
from coursekit.seq2seq.recurrent_layers import GRU, LSTM, RNN
from coursekit.seq2seq.search import (
    Hypothesis,
    beam_search,
    greedy,
    length_penalty,
    translate,
)
from coursekit.seq2seq.training import (
    History,
    batches_of_pairs,
    encode_pairs,
    fit,
    next_token_loss,
    train_translator,
    translation_loss,
    vocabularies,
)
from coursekit.seq2seq.translation import (
    HELD_OUT,
    SEEN,
    Pair,
    Pattern,
    Split,
    crossings,
    sentence,
    sentences,
    translation_split,
)
from coursekit.seq2seq.translator import Decoder, Encoder, Memory, Translator
from coursekit.seq2seq.vocabulary import BOS, EOS, PAD, UNK, Vocabulary, one_hot, pad_batch

__all__ = [
    "BOS",
    "EOS",
    "GRU",
    "HELD_OUT",
    "LSTM",
    "PAD",
    "RNN",
    "SEEN",
    "UNK",
    "AdditiveAttention",
    "Bleu",
    "Decoder",
    "Encoder",
    "GRUCell",
    "History",
    "Hypothesis",
    "LSTMCell",
    "Memory",
    "MultiplicativeAttention",
    "Pair",
    "Pattern",
    "RNNCell",
    "Split",
    "Translator",
    "Vocabulary",
    "attend",
    "batches_of_pairs",
    "beam_search",
    "corpus_bleu",
    "crossings",
    "date_pairs",
    "encode_pairs",
    "fit",
    "greedy",
    "gru_step",
    "length_penalty",
    "lstm_step",
    "masked_softmax",
    "next_token_loss",
    "ngrams",
    "one_hot",
    "pad_batch",
    "rnn_step",
    "sentence",
    "sentences",
    "train_translator",
    "translate",
    "translation_loss",
    "translation_split",
    "vocabularies",
    "write",
    "written_date",
]
