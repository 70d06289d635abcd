"""Tables in files: read exactly as they were written, and written whole or not at all.

Knows no business: who reads says what the columns mean. Text is read as text, and a number as the decimal that was
entered. pandas opens workbooks and Parquet and writes everything; it is loaded where it is used.
"""
