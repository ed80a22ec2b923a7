# kind: HTML injection
# tries: scripts, formulas and links in a free text that the teacher reads
# holds: every text is escaped where it is shown
# says: <script>

# %%
essay = """<script>document.title='@TOKEN@'</script><img src=x onerror="document.title='@TOKEN@'">
</pre></td></table><iframe src="javascript:alert(1)"></iframe><style>*{display:none}</style>
=HYPERLINK("http://127.0.0.1:@PORT@","click") {{7*7}} ${7*7} ]]> --> <!--
"""
