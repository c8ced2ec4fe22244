# Campfire. `make` alone lists what there is.

BUF     ?= go tool -modfile=tools.mod buf
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.0.0-dev)
ARGS    ?=
# What a release is built for.
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
BUILD   := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w -buildid= -X main.version=$(VERSION)'
# All is watched but SQLite, which is C made Go: it took as long as all the rest.
RACE    := -race '-gcflags=modernc.org/...=-race=false'
CLIENT  := webclient/dist/index.html
CLIENT_SOURCES := $(shell find webclient/src webclient/public -type f 2>/dev/null) webclient/index.html webclient/vite.config.ts \
	$(wildcard webclient/tsconfig*.json)
# npm writes it last.
MODULES := webclient/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build release test test-go test-client test-browser screens lint generate breaking test-manual dev bench soak icons sounds check

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Build and start Campfire on http://localhost:8080 (ARGS="--addr :9000" for settings)
	./campfire $(ARGS)

build: $(CLIENT) ## Build ./campfire, the client inside
	$(BUILD) -o campfire ./server/cmd/campfire

release: $(CLIENT) ## Build every platform's program into release/, with checksums: the same sources give the same bytes
	rm -rf release && mkdir release
	@set -e; for platform in $(PLATFORMS); do os=$${platform%/*} arch=$${platform#*/}; \
		file=release/campfire-$(VERSION)-$$os-$$arch; [ $$os = windows ] && file=$$file.exe; echo $$file; \
		GOOS=$$os GOARCH=$$arch $(BUILD) -o $$file ./server/cmd/campfire; done
	cd release && sha256sum campfire-* >SHA256SUMS && cat SHA256SUMS

test: test-go test-client test-browser ## Run every test: Go with the race detector, the client's units, the browser's journeys

test-go: $(CLIENT) ## Run the Go tests with the race detector
	.ci/install compiler
	.ci/install nginx || echo "without nginx one test is skipped"
	.ci/install buildah || echo "without buildah one test is skipped"
	CGO_ENABLED=1 go test $(RACE) -parallel $$(($$(getconf _NPROCESSORS_ONLN) + 1)) ./... # as there is always one that only waits

test-client: $(MODULES) ## Run the client's unit tests
	cd webclient && npm test

test-browser: build ## Run the browser tests, in the system's Chromium
	.ci/install browser
	.ci/install browser-shell || echo "without it the browser tests take longer"
	cd webclient && CHROMIUM="$$(../.ci/install which-browser)" CHROMIUM_SHELL="$$(command -v chromium-headless-shell)" npm run e2e

screens: build ## Take pictures of every screen, light and dark, wide and narrow, into webclient/screens
	.ci/install browser
	cd webclient && CHROMIUM="$$(../.ci/install which-browser)" npm run screenshot -- -g "every screen"

lint: $(MODULES) $(CLIENT) ## Check code, contract, formatting, and the figures of the plan
	go vet ./...
	go tool -modfile=tools.mod staticcheck ./...
	@unformatted=$$(go tool -modfile=tools.mod gofumpt -l bench server store examples webclient/*.go); \
		test -z "$$unformatted" || { echo "not gofumpt'ed: $$unformatted"; exit 1; }
	$(BUF) lint
	$(BUF) format -d --exit-code
	cd webclient && npm run lint
	.ci/figures
	.ci/audit

generate: $(MODULES) ## Generate Go and TypeScript from proto (fast: BUF="npx --yes @bufbuild/buf@1.75.0")
	$(BUF) format -w
	$(BUF) generate

breaking: ## Check that the contract breaks no client of main
	$(BUF) breaking --against '.git#branch=main'

icons: $(MODULES) ## Draw the app's icons from the logo: the committed files, byte for byte
	cd webclient && npm run icons --silent

sounds: $(MODULES) ## Render the sounds of /play from their scores: the committed files, byte for byte
	cd webclient && npm run sounds --silent

dev: $(MODULES) ## Start server and client for development: the page at http://localhost:5173 follows the sources
	@go build -o bin/campfire-dev ./server/cmd/campfire
	@./bin/campfire-dev --addr 127.0.0.1:8080 & server=$$!; trap "kill $$server" EXIT; cd webclient && npm run dev

bench: build ## Measure speed beside bare loops (ARGS="--short", "--only post --profile FOLDER", "--json FILE": docs/performance.md)
	go run ./bench $(ARGS)

test-manual: $(CLIENT) ## Run every command of docs/operations.md, as root in a sandbox, and replication by Litestream
	GOBIN=$(CURDIR)/bin go install github.com/benbjohnson/litestream/cmd/litestream@v0.5.18
	.ci/install systemctl
	PATH="$(CURDIR)/bin:$$PATH" SYSTEMCTL=$(CURDIR)/bin/systemctl go test ./server/cmd/campfire -count=1 -v -run 'TestLitestream|TestTheManual' -manual

SOAK ?= 20m
soak: $(CLIENT) ## Run the server for 20 minutes (SOAK=20m) under many times a day's traffic, and draw docs/soak.svg
	go test ./server/cmd/campfire -run TestSoak -v -soak $(SOAK) -soak-plot $(CURDIR)/docs/soak.svg -timeout 10h

check: lint test ## Everything that must hold before a change lands

$(MODULES): webclient/package-lock.json
	cd webclient && npm ci --no-audit --no-fund
	@touch $@

$(CLIENT): $(MODULES) $(CLIENT_SOURCES)
	cd webclient && npm run build
	@touch $@
