# Campfire in a container: docker build -t campfire .
# What runs is one program and the certificate authorities it trusts; nothing else, not even a shell.
ARG NODE_IMAGE=node:24-bookworm-slim
ARG GO_IMAGE=golang:1.26-bookworm

FROM ${NODE_IMAGE} AS client
WORKDIR /campfire/webclient
COPY webclient/package.json webclient/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY webclient ./
RUN npm run build

FROM ${GO_IMAGE} AS program
WORKDIR /campfire
COPY go.mod go.sum ./
RUN go mod download
COPY gen gen
COPY store store
COPY server server
COPY webclient/webclient.go webclient/
COPY --from=client /campfire/webclient/dist webclient/dist
ARG VERSION=0.0.0-dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w -buildid= -X main.version=${VERSION}" -o /out/campfire ./server/cmd/campfire \
    && mkdir /out/data && cp /etc/ssl/certs/ca-certificates.crt /out/

FROM scratch
COPY --from=program /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=program /out/campfire /campfire
COPY --from=program --chown=65532:65532 /out/data /data
# There is no folder for temporary files but the data's.
ENV CAMPFIRE_DATA=/data SQLITE_TMPDIR=/data
USER 65532:65532
VOLUME /data
EXPOSE 8080 80 443
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/campfire", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/campfire"]
