"""The same submissions for three graders: what ``benchmarks/grading.py`` measures."""
