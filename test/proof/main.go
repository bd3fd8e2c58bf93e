// Command proof reads the events of "go test -json", prints what "go test" would
// have printed, and fails when docs/threats.md claims a proof that this very run
// did not give: a named test that did not run and pass, a protection without its
// row, or a row without a state.
//
//	go test -json ./... | go run ./test/proof
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	table := flag.String("threats", "docs/threats.md", "the table of protections")
	rows := flag.String("rows", "../shared/domain/threats-and-protection.md", "what must have a row")
	flag.Parse()
	out := bufio.NewWriter(os.Stdout)
	err := run(os.Stdin, out, *table, *rows)
	if err := errors.Join(err, out.Flush()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(events io.Reader, out io.Writer, table, rows string) error {
	passed, err := follow(events, out)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(table)
	if err != nil {
		return err
	}
	claims, err := readClaims(string(text))
	if err != nil {
		return err
	}
	wanted, err := os.ReadFile(rows)
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
		wanted, err = nil, nil
	}
	if err != nil {
		return err
	}
	return judge(claims, rowsOf(string(wanted)), passed)
}
