"""The development entry: `flask run` finds `app` here."""

from flaskllm.factory import create_app

app = create_app()

if __name__ == "__main__":
    app.run()
