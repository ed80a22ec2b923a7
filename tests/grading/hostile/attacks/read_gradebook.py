# kind: reading the gradebook
# tries: opens the gradebook's database and prints everybody's points
# holds: the gradebook is not in the sandbox (and belongs to another user)
# says: kept out
# reaches: unsafe

# %%
import os
import sqlite3

tried = []
for name in ("gradebook.sqlite", "gradebook.db", "gradebook.sqlite3", "grades.sqlite"):
    try:
        book = sqlite3.connect(f"file:@OUT@/{name}?mode=ro", uri=True)
        tried.append(f"REACHED {book.execute('select * from sqlite_master').fetchall()}")
    except sqlite3.Error as error:
        tried.append(f"kept out: {error}")
try:
    tried.append(f"REACHED {os.listdir('@OUT@')}")
except OSError as error:
    tried.append(f"kept out: {error.strerror}")
essay = "; ".join(tried)
