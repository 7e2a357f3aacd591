# The NLU: trained while the image is built, so that a start needs nothing but the image.
FROM python:3.10-slim-bookworm AS train
WORKDIR /srv
COPY nlu/requirements.lock nlu/requirements.lock
RUN pip install --no-cache-dir --require-hashes -r nlu/requirements.lock
COPY bot bot
COPY content/danger content/danger
COPY nlu nlu
RUN PYTHONPATH=/srv python nlu/train.py

FROM train
RUN useradd --system --uid 10002 --home-dir /srv nlu
USER 10002
ENV PYTHONPATH=/srv OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONUNBUFFERED=1
EXPOSE 5005
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5005/health', timeout=2)"]
CMD ["python", "nlu/server.py", "--host", "0.0.0.0", "--port", "5005"]
