package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"akashi/certificate/trust"
)

// inputs are the arguments of an import: files, and addresses that the operator gave. What
// lists are checked with is a file: who could change the list could change its key, too.
type inputs struct {
	usage string
	count int    // of arguments; -1 is one or more
	keys  int    // how many of the last are what the others are checked with
	most  int    // bytes of one
	ca    string // authority of the servers, PEM; the system's where empty
}

// input is one of them, whole.
type input struct {
	trust.File
	fetched bool
}

func (in *inputs) check(args []string) error {
	if len(args) != in.count && (in.count >= 0 || len(args) == 0) {
		return usageError{fmt.Errorf("trust import takes: %s", in.usage)}
	}
	for i, arg := range args {
		if !isAddress(arg) {
			continue
		}
		if i >= len(args)-in.keys {
			return usageError{errors.New("what a list is checked with has to be a file, which you got from somewhere you trust")}
		}
		if _, err := addressOf(arg); err != nil {
			return usageError{fmt.Errorf("argument %d: %w", i+1, err)} // not the address, which may hold a password
		}
	}
	return nil
}

func isAddress(arg string) bool { return strings.Contains(arg, "://") }

// read reads all, and tells what was fetched by address and digest.
func (in *inputs) read(ctx context.Context, args []string, said io.Writer) (files []input, err error) {
	var f *fetcher
	for _, arg := range args {
		if !isAddress(arg) {
			content, err := readInput(arg, nil)
			if err != nil {
				return nil, err
			}
			files = append(files, input{File: trust.File{Name: filepath.Base(arg), Content: content}})
			continue
		}
		if f == nil {
			if f, err = newFetcher(in.ca); err != nil {
				return nil, usageError{err}
			}
		}
		u, err := addressOf(arg)
		if err != nil {
			return nil, err
		}
		content, _, err := f.get(ctx, arg, nil, in.most)
		if err == nil && len(content) == 0 {
			err = errors.New("it is empty")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s; what is in use is kept", clean1(arg), clean1(err.Error()))
		}
		_, _ = fmt.Fprintf(said, "fetched %s: %d bytes, %s\n", clean1(arg), len(content), digestOf(content))
		files = append(files, input{trust.File{Name: path.Base(u.Path), Content: content}, true})
	}
	return files, nil
}

// digestsOf names the bytes of inputs, as an operator approves them.
func digestsOf(files []input) (digests []string) {
	for _, f := range files {
		digests = append(digests, digestOf(f.Content))
	}
	return digests
}

func filesOf(inputs []input) (files []trust.File) {
	for _, in := range inputs {
		files = append(files, in.File)
	}
	return files
}
