"""The WSGI file of a PythonAnywhere web app.

Copy it over the file that the Web tab names, and set the folder below. All
settings stay in `flaskllm.yaml` and `.env` in that folder.
"""

import os
import sys

PROJECT = os.path.expanduser("~/flaskllm")

# Settings, `.env` and the data folder are found from the working folder.
os.chdir(PROJECT)
sys.path.insert(0, PROJECT)

from wsgi import application  # noqa: E402, F401 - the folder had to be set first
