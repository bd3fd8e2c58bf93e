package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// module is cut from the names of packages.
const module = "akashi/"

// event is one line of "go test -json" (go doc test2json).
type event struct {
	Action, Package, Test, Output string
}

// follow prints the run as "go test" without -v does and returns the tests that
// passed, as "internal/server.TestRoutes/ok". It fails when the run did.
func follow(in io.Reader, out io.Writer) (map[string]bool, error) {
	passed, failed := map[string]bool{}, false
	said := map[string]*strings.Builder{} // of tests that have not ended
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				e = event{Action: "output", Output: string(line)}
			}
			failed = e.tell(out, said, passed) || failed
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if failed {
		return nil, errors.New("proof: tests failed")
	}
	return passed, nil
}

// tell handles one event and says whether it is a failure.
func (e event) tell(out io.Writer, said map[string]*strings.Builder, passed map[string]bool) (failure bool) {
	name := strings.TrimPrefix(e.Package, module) + "." + e.Test
	switch e.Action {
	case "build-output":
		_, _ = io.WriteString(out, e.Output)
	case "output":
		switch {
		case e.Test != "":
			if said[name] == nil {
				said[name] = &strings.Builder{}
			}
			said[name].WriteString(e.Output)
		case e.Output != "PASS\n":
			_, _ = io.WriteString(out, e.Output)
		}
	case "pass", "skip":
		delete(said, name)
		if e.Action == "pass" && e.Test != "" {
			passed[name] = true
		}
	case "fail", "build-fail":
		if text := said[name]; text != nil {
			_, _ = fmt.Fprint(out, text)
			delete(said, name)
		}
		return true
	}
	return false
}
