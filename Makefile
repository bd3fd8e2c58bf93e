# `make run` needs Go and make only. The other targets install what they need
# under .tools, test/outside/node_modules and, on Debian as root, with apt-get.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:

FUZZTIME ?= 60s
BENCHTIME ?= 1s
TORTURE ?= .
# Packages in which goroutines share something: tested under the race detector too.
RACE ?= ./internal/audit/... ./internal/issuance/... ./internal/server/... ./internal/store/...

LINT := .tools/golangci-lint-v2.15.0/golangci-lint
VULN := .tools/govulncheck-v1.1.4/govulncheck
LEAKS := .tools/gitleaks-v8.30.1/gitleaks
VULNDB := ../shared/testdata/security/vulndb/go-vulndb-2026-08-21-trimmed.zip

.PHONY: run storybook screenshots build build-pkcs11 sbom test check race token lint vuln secrets bench fuzz torture tools clean

run: ## serve on an embedded database with TEST keys
	@CGO_ENABLED=0 go run ./cmd/akashi serve

storybook: ## every page in every state with invented people, on a port of this machine
	@CGO_ENABLED=0 go run -tags storybook ./cmd/akashi storybook

screenshots: ## docs/images, from the storybook
	@mkdir -p bin docs/images && CGO_ENABLED=0 go build -tags storybook -o bin/akashi-storybook ./cmd/akashi
	coproc BOOK { exec bin/akashi-storybook storybook --address 127.0.0.1:0; }
	trap 'kill $$BOOK_PID' EXIT
	read -r _ _ address <&$${BOOK[0]}
	node test/outside/storybook.mjs "$${address%/storybook}" docs/images

build: ## bin/akashi, without cgo
	@CGO_ENABLED=0 go build -trimpath -o bin/akashi ./cmd/akashi

build-pkcs11: ## bin/akashi with keys in a PKCS#11 token: needs a C compiler
	@CGO_ENABLED=1 go build -trimpath -tags pkcs11 -o bin/akashi ./cmd/akashi

sbom: ## bin/akashi.cdx.json, the bill of materials; refuses parts that nobody has reviewed
	@mkdir -p bin && go run ./release/bom -out bin/akashi.cdx.json

test: tools check lint race ## everything; ends with the lines of go test, unless docs/threats.md claims what was not shown
	@{ CGO_ENABLED=0 go test -json -count=1 -timeout 20m ./... && $(MAKE) --no-print-directory token; } | go run ./test/proof

check: ## format and vet
	@bad=$$(find . -name node_modules -prune -o -name '*.go' -print0 | xargs -0 gofmt -l)
	if [ -n "$$bad" ]; then echo "not gofmt-ed:"; echo "$$bad"; exit 1; fi
	go vet ./...
	go vet -tags storybook ./cmd/akashi
	if [ "$$(go env CGO_ENABLED)" = 1 ]; then go vet -tags pkcs11 ./signing ./internal/cli ./cmd/akashi; fi

race:
	@if [ "$$(go env CGO_ENABLED)" != 1 ]; then
		echo "no C compiler: the race detector is skipped" >&2
		[ "$${CI:-}" != true ]
		exit
	fi
	packages=$$(go list -e -f '{{if not .Error}}{{.ImportPath}}{{end}}' $(RACE))
	if [ -n "$$packages" ]; then go test -race -count=1 -timeout 40m $$packages; fi

token: ## keys in a PKCS#11 token, against SoftHSM; prints JSON
	@if [ "$$(go env CGO_ENABLED)" != 1 ]; then
		echo "no C compiler: PKCS#11 is skipped" >&2
		[ "$${CI:-}" != true ]
		exit
	fi
	go test -json -tags pkcs11 -count=1 -run 'Token|ProductionKeys' ./signing ./internal/cli

lint: $(LINT)
	@if [ -x $(LINT) ]; then $(LINT) run ./...; fi

vuln: $(VULN) .tools/vulndb ## known vulnerabilities, from a local database
	@$(VULN) -db "file://$(CURDIR)/.tools/vulndb" ./...

secrets: $(LEAKS) ## keys and passwords in the tree
	@$(LEAKS) dir --no-banner --redact --config .gitleaks.toml .

bench:
	@go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout 60m ./...

torture: ## T-RACE, T-KILL and their kin in full: about an hour; TORTURE names a test
	@AKASHI_TORTURE=full CGO_ENABLED=0 go test -count=1 -v -timeout 6h -run '$(TORTURE)' ./test/torture
	@[ "$(TORTURE)" != . ] || AKASHI_TORTURE=full CGO_ENABLED=0 go test -count=1 -v -timeout 2h -run TestRotateKilled ./internal/store

fuzz: ## every fuzz function for FUZZTIME
	@status=0
	while IFS=: read -r file function; do
		go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$${function#func }\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x || status=1
	done < <(grep -rEo --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]*' . | sort)
	exit $$status

tools: ## what the tests need
	@scripts/install-tools.sh

clean:
	rm -rf .tools bin test/outside/node_modules test/outside/dist

# Who cannot reach the module proxy goes without; CI does not.
$(LINT):
	@if ! GOBIN=$(CURDIR)/$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0; then
		echo "golangci-lint cannot be had: skipped" >&2
		[ "$${CI:-}" != true ]
	fi

$(VULN):
	@GOBIN=$(CURDIR)/$(@D) go install golang.org/x/vuln/cmd/govulncheck@v1.1.4

$(LEAKS):
	@GOBIN=$(CURDIR)/$(@D) go install github.com/zricethezav/gitleaks/v8@v8.30.1

.tools/vulndb: $(VULNDB)
	@rm -rf $@ && mkdir -p $@ && unzip -q $(VULNDB) -d $@
