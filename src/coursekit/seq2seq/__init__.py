"""Chapter 03: how networks read and write sequences (PyTorch)."""

from coursekit.seq2seq.attend import (
    AdditiveAttention,
    MultiplicativeAttention,
    attend,
    masked_softmax,
)
from coursekit.seq2seq.bleu import Bleu, corpus_bleu, ngrams
from coursekit.seq2seq.bptt import gradient_by_lag, step_jacobians
from coursekit.seq2seq.corpora import Planted, documentation_sentences, planted_sentences
from coursekit.seq2seq.dates import date_pairs, written_date
from coursekit.seq2seq.grammar import write
from coursekit.seq2seq.memory import first_symbol, first_symbol_batches, set_forget_bias
from coursekit.seq2seq.ngram import NGram, perplexity, sentence_log_prob
from coursekit.seq2seq.problem_types import (
    ROLES,
    ManyToMany,
    ManyToOne,
    OneToMany,
    agreement,
    digits,
    roles,
    spelled_numbers,
)
from coursekit.seq2seq.recurrent import GRUCell, LSTMCell, RNNCell, gru_step, lstm_step, rnn_step
from coursekit.seq2seq.recurrent_layers import GRU, LSTM, RNN
from coursekit.seq2seq.search import (
    Hypothesis,
    beam_search,
    greedy,
    length_penalty,
    translate,
)
from coursekit.seq2seq.similarity import analogy, cosine_similarity, nearest, project_2d
from coursekit.seq2seq.task_words import translation_vocabularies
from coursekit.seq2seq.trained import by_length, evaluate, load_translator, translations
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
from coursekit.seq2seq.window_lm import FixedWindowLM, RecurrentLM, windows
from coursekit.seq2seq.word2vec import (
    SkipGram,
    keep_probabilities,
    negative_sampling_loss,
    noise_distribution,
    skip_gram_pairs,
    train_skip_gram,
)

__all__ = [
    "BOS",
    "EOS",
    "GRU",
    "HELD_OUT",
    "LSTM",
    "PAD",
    "RNN",
    "ROLES",
    "SEEN",
    "UNK",
    "AdditiveAttention",
    "Bleu",
    "Decoder",
    "Encoder",
    "FixedWindowLM",
    "GRUCell",
    "History",
    "Hypothesis",
    "LSTMCell",
    "ManyToMany",
    "ManyToOne",
    "Memory",
    "MultiplicativeAttention",
    "NGram",
    "OneToMany",
    "Pair",
    "Pattern",
    "Planted",
    "RNNCell",
    "RecurrentLM",
    "SkipGram",
    "Split",
    "Translator",
    "Vocabulary",
    "agreement",
    "analogy",
    "attend",
    "batches_of_pairs",
    "beam_search",
    "by_length",
    "corpus_bleu",
    "cosine_similarity",
    "crossings",
    "date_pairs",
    "digits",
    "documentation_sentences",
    "encode_pairs",
    "evaluate",
    "first_symbol",
    "first_symbol_batches",
    "fit",
    "gradient_by_lag",
    "greedy",
    "gru_step",
    "keep_probabilities",
    "length_penalty",
    "load_translator",
    "lstm_step",
    "masked_softmax",
    "nearest",
    "negative_sampling_loss",
    "next_token_loss",
    "ngrams",
    "noise_distribution",
    "one_hot",
    "pad_batch",
    "perplexity",
    "planted_sentences",
    "project_2d",
    "rnn_step",
    "roles",
    "sentence",
    "sentence_log_prob",
    "sentences",
    "set_forget_bias",
    "skip_gram_pairs",
    "spelled_numbers",
    "step_jacobians",
    "train_skip_gram",
    "train_translator",
    "translate",
    "translation_loss",
    "translation_split",
    "translation_vocabularies",
    "translations",
    "vocabularies",
    "windows",
    "write",
    "written_date",
]
