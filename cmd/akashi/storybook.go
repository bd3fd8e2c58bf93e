//go:build storybook

package main

import (
	"log/slog"
	"os"

	"akashi/internal/cli"
	"akashi/internal/server"
	"akashi/test/storybook"
)

func init() {
	further = append(further, storybook.Command(func(node *cli.Node) (*server.Server, error) {
		return server.New(services(node, slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))))
	}))
}
