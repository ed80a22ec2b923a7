# kind: writing the gradebook
# tries: gives every student full points in the database, and failing that deletes it
# holds: the gradebook cannot be written from the sandbox
# says: kept out
# sample
# outside

# %%
import glob
import os
import sqlite3

tried = []
for path in [*glob.glob("@OUT@/*"), "@OUT@/gradebook.sqlite", "@OUT@/gradebook.db"]:
    try:
        book = sqlite3.connect(f"file:{path}?mode=rw", uri=True)
        tables = [row[0] for row in book.execute("select name from sqlite_master")]
        for table in tables:
            for column in ("points", "score", "earned"):
                try:
                    book.execute(f"update {table} set {column} = 7")
                    tried.append(f"REACHED {table}")
                except sqlite3.Error:
                    pass
        book.commit()
    except sqlite3.Error as error:
        tried.append(f"kept out: {error}")
    for action in (os.unlink, lambda p: os.rename(p, "/tmp/away"), lambda p: os.truncate(p, 0)):
        try:
            action(path)
            tried.append(f"REACHED {path}")
        except OSError as error:
            tried.append(f"kept out: {error.strerror}")
essay = "; ".join(tried)
