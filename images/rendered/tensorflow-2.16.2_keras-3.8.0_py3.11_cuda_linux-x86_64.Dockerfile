# tensorflow-2.16.2_keras-3.8.0_py3.11_cuda_linux-x86_64
# Rendered by `runner render`; do not edit.
FROM python:3.11-slim-bookworm AS tools
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=uv.txt,target=/build/uv.txt \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh tools /tools

FROM python:3.11-slim-bookworm
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
      org.opencontainers.image.title="keras-version-matrix tensorflow-2.16.2_keras-3.8.0_py3.11_cuda_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="tensorflow-2.16.2_keras-3.8.0_py3.11_cuda_linux-x86_64" \
      org.keras-version-matrix.framework="tensorflow" \
      org.keras-version-matrix.version="2.16.2" \
      org.keras-version-matrix.keras="3.8.0" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cuda" \
      org.keras-version-matrix.lock="300c3d017589c2d055efd271afbd5051b59df2837df89811310484739ac37632" \
      org.keras-version-matrix.template="f05cedf4eb7ec2b40529d97c33d4a023db23165704a468bc0518b488deb906cd" \
      org.keras-version-matrix.content="eb77ec4a7894de7c56360ffcdd5150a61926a652f570da05a185989a621de91a" \
      org.keras-version-matrix.layer="145ed5d79e3d9e696f6b3a9110947772cb157cd505ee3ec3c3a93b80a94dd7f0"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
