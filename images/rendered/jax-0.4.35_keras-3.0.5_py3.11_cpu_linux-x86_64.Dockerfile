# jax-0.4.35_keras-3.0.5_py3.11_cpu_linux-x86_64
# Rendered by `runner render`; do not edit.
FROM python:3.11-slim-bookworm AS tools
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=uv.txt,target=/build/uv.txt \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh tools /tools

FROM python:3.11-slim-bookworm
LABEL org.keras-version-matrix="image"
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=framework.txt,target=/build/framework.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/framework.txt
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=company.txt,target=/build/company.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=cache,id=keras-version-matrix-uv,target=/var/cache/uv \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/company.txt
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=keras.txt,target=/build/keras.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=cache,id=keras-version-matrix-uv,target=/var/cache/uv \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/keras.txt

LABEL \
      org.opencontainers.image.title="keras-version-matrix jax-0.4.35_keras-3.0.5_py3.11_cpu_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="jax-0.4.35_keras-3.0.5_py3.11_cpu_linux-x86_64" \
      org.keras-version-matrix.framework="jax" \
      org.keras-version-matrix.version="0.4.35" \
      org.keras-version-matrix.keras="3.0.5" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cpu" \
      org.keras-version-matrix.lock="2c8cdd2a3092f3120b3dffbeab53d1faceaa3ea39da38e827389060fa584c9e3" \
      org.keras-version-matrix.template="0cf40f118f077491dd281dffb51e606e2c16ebbed718f3604c58e407ad5dc96b" \
      org.keras-version-matrix.content="58332b0bb61d06abeaca855be7469b15473b839fb508b3463e4b84c78d030ec8" \
      org.keras-version-matrix.layer="bc3babb85184e1e814e990054cfbb6b5db501b11de3f8f04a42e1ff0de7a3ab0"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
