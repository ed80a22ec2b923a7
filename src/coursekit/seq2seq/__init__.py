"""Chapter 03: how networks read and write sequences (PyTorch)."""

from coursekit.seq2seq.recurrent import GRUCell, LSTMCell, RNNCell, gru_step, lstm_step, rnn_step
from coursekit.seq2seq.recurrent_layers import GRU, LSTM, RNN
from coursekit.seq2seq.vocabulary import BOS, EOS, PAD, UNK, Vocabulary, one_hot, pad_batch

__all__ = [
    "BOS",
    "EOS",
    "GRU",
    "LSTM",
    "PAD",
    "RNN",
    "UNK",
    "GRUCell",
    "LSTMCell",
    "RNNCell",
    "Vocabulary",
    "gru_step",
    "lstm_step",
    "one_hot",
    "pad_batch",
    "rnn_step",
]
