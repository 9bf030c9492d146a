# tensorflow-2.21.0_keras-3.11.3_py3.11_cuda_linux-x86_64
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
      org.opencontainers.image.title="keras-version-matrix tensorflow-2.21.0_keras-3.11.3_py3.11_cuda_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="tensorflow-2.21.0_keras-3.11.3_py3.11_cuda_linux-x86_64" \
      org.keras-version-matrix.framework="tensorflow" \
      org.keras-version-matrix.version="2.21.0" \
      org.keras-version-matrix.keras="3.11.3" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cuda" \
      org.keras-version-matrix.lock="51ad69a7e11b78346eddfa0177c9325b2acb0a45da79cc39a36f4f3104bfaf21" \
      org.keras-version-matrix.template="0cf40f118f077491dd281dffb51e606e2c16ebbed718f3604c58e407ad5dc96b" \
      org.keras-version-matrix.content="ee5fda73f4ac094d745c449bcdd2a67e0967d0a71ca6d927e8e065b863cc57b2" \
      org.keras-version-matrix.layer="e0d48e3a051c2b3e0b039c54b2daab1206f78bde2cdf72d12912e4a468d6c1d1"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
