"""Chapter 03: how networks read and write sequences (PyTorch)."""

from coursekit.seq2seq.attend import (
    AdditiveAttention,
    MultiplicativeAttention,
    attend,
    masked_softmax,
)
from coursekit.seq2seq.dates import date_pairs, written_date
from coursekit.seq2seq.grammar import write
from coursekit.seq2seq.recurrent import GRUCell, LSTMCell, RNNCell, gru_step, lstm_step, rnn_step
from coursekit.seq2seq.recurrent_layers import GRU, LSTM, RNN
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
    "Decoder",
    "Encoder",
    "GRUCell",
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
    "crossings",
    "date_pairs",
    "gru_step",
    "lstm_step",
    "masked_softmax",
    "one_hot",
    "pad_batch",
    "rnn_step",
    "sentence",
    "sentences",
    "translation_split",
    "write",
    "written_date",
]
