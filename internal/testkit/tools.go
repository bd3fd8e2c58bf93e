package testkit

import (
	"os/exec"
	"testing"
)

// Tool returns the path of an outside program such as "pdftotext".
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, name)
	}
	return path
}

// Node returns the path of Node.js, which runs the programs under test/outside.
func Node(t testing.TB) string {
	t.Helper()
	return Tool(t, "node")
}
