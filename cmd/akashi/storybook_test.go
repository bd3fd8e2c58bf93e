//go:build !storybook

package main

import (
	"log/slog"

	"akashi/internal/cli"
	"akashi/internal/server"
	"akashi/test/storybook"
)

// The test binary has the command of builds for tests.
func init() {
	further = append(further, storybook.Command(func(node *cli.Node) (*server.Server, error) {
		return server.New(services(node, slog.New(slog.DiscardHandler)))
	}))
}
