"""What all tables belong to: one schema."""

from sqlalchemy import MetaData

metadata = MetaData()
