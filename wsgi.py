"""The production entry: `gunicorn wsgi:application`, uWSGI, PythonAnywhere."""

from flaskllm.factory import create_app

application = create_app()
