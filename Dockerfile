# The bot with both command lines, on Python's 3.11 of Debian 12, with a CPU build of torch.
#
#   docker build --tag kinorate .
#   docker run --read-only --tmpfs /tmp --volume data:/data --volume models:/models \
#       --publish 127.0.0.1:8081:8081 --env LOCAL_HOST=0.0.0.0 kinorate
#
# Behind a company's proxy: HTTP_PROXY and the like are build arguments of every Dockerfile; these
# are this one's. Wheels in deploy/wheels are taken instead of any index.

FROM debian:bookworm-slim AS base
# The text of a certificate (PEM) that is to be trusted besides the usual ones, also by the bot:
# --build-arg CA_CERTIFICATE="$(cat company.pem)"
ARG CA_CERTIFICATE=""
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates python3 tini tzdata \
    && if [ -n "$CA_CERTIFICATE" ]; then \
        printf '%s\n' "$CA_CERTIFICATE" > /usr/local/share/ca-certificates/given.crt \
        && update-ca-certificates; \
    fi \
    && mkdir -p /run/secrets \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /var/cache/debconf/* /var/log/*

FROM base AS packages
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        binutils python3-venv \
    && python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt
ARG PIP_INDEX_URL=https://pypi.org/simple
# torch's own index: on PyPI's its Linux build is the one for CUDA, with gigabytes of libraries.
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
COPY deploy/wheels /wheels
COPY pyproject.toml requirements.lock ./
# As the Makefile installs: each file's hash is checked, torch by its index's.
RUN if ls /wheels/*.whl >/dev/null 2>&1; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels; fi \
    && pip install --no-compile --only-binary :all: --require-hashes --no-deps \
        --requirement requirements.lock \
    && pip install --no-compile --only-binary :all: --no-deps --index-url "$TORCH_INDEX_URL" \
        "$(grep -o 'torch==[0-9.]*' pyproject.toml)" \
    && python -c 'import sys, torch; sys.exit(torch.version.cuda and "This is no CPU build of torch: see TORCH_INDEX_URL.")'
# Nothing here uses headers, sources in C, the libraries' own tests, pip, Arrow's servers and clouds,
# or the symbols for debuggers and linkers: a third of the size. (The libraries that wheels bring
# along in *.libs don't all bear to be stripped.) Then comes the compiled form of those modules that
# are used, because the file system is read-only when they are.
RUN cd /opt/venv/lib/python3.11/site-packages \
    && pip uninstall --yes pip setuptools \
    && rm -rf torch/include torch/share torch/test torch/lib/*test*.so \
        pyarrow/include pyarrow/src pyarrow/*flight* pyarrow/*s3* \
    && find torch/bin -type f ! -name torch_shm_manager -delete \
    && find . -type d -name tests -not -path './numpy/*' -prune -exec rm -rf {} + \
    && find . -type f -regex '.*\.\(a\|c\|cpp\|h\|hpp\|pxd\|pyi\|pyx\)' -delete \
    && find . -name __pycache__ -prune -exec rm -rf {} + \
    && find . -path './*.libs' -prune -o -type f -name '*.so*' -exec strip --strip-unneeded {} + \
    && python -c "import alembic.command, apscheduler.schedulers.asyncio, asyncpg, datasets, jinja2, \
matplotlib.backends.backend_agg, matplotlib.figure, pandas, prometheus_client, pydantic_settings, \
pyarrow.parquet, pythonjsonlogger.json, rich.progress, safetensors.torch, scipy.stats, \
sklearn.metrics, sqlalchemy.dialects.postgresql.asyncpg, sqlalchemy.dialects.sqlite.aiosqlite, \
sqlalchemy.ext.asyncio, telegram.ext, torch, tornado.web, transformers.models.auto, \
transformers.models.bert.modeling_bert, transformers.models.bert.tokenization_bert, typer"

FROM packages AS program
COPY bot /app/bot
COPY classifier /app/classifier
COPY db /app/db
COPY alembic /app/alembic
RUN python -m compileall -q /app \
    && mkdir /data /models && chown 10001:10001 /data /models

FROM base
COPY --from=packages /opt/venv /opt/venv
COPY --from=program /app /app
COPY --from=program --chown=10001:10001 /data /data
COPY --from=program --chown=10001:10001 /models /models
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp XDG_CACHE_HOME=/models/.cache HF_HOME=/models/.cache/huggingface \
    MPLCONFIGDIR=/models/.cache/matplotlib \
    MODELS=/models FIRST_TRAINING_MINUTES=5 MONITORING_PORT=9108 SECRETS_DIR=/run/secrets
# From here data/ and models/, the defaults of both command lines, are the volumes.
WORKDIR /
USER 10001:10001
VOLUME ["/data", "/models"]
EXPOSE 8081 8443 9108
# Unhealthy is one that fails, hangs or is gone; one that trains or starts is not.
HEALTHCHECK --interval=15s --timeout=7s --start-period=30s --retries=3 \
    CMD ["python", "-m", "bot.monitoring.probe"]
# As process 1 a program ignores the signals that it has not asked for yet, and inherits orphans.
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "bot"]
