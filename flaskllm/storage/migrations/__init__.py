"""The history of the schema: Alembic's environment and one file per revision.

Revisions only go forward; the way back is a backup.
"""
