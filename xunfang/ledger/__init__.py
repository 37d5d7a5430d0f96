"""The ledger 台账: in from the county's spreadsheets, out to them again.

reading ──► rows ──► areas, matching ──► importer (batches) ──► storage
             │                             └─► refused.csv, for the person who mends it
             values, columns                       exporter, template: the same columns back
"""
