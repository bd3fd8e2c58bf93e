package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"akashi/certificate/trust"
)

// importAuthorities are the imports of country authorities (CSCA) and their lists. Each makes a
// new directory of what another one holds and of what was taken.
func importAuthorities() []*cobra.Command {
	return []*cobra.Command{
		continueCommand("masterlist LIST[=SHA256]", "country authorities of a master list or Health Master List (CMS), proven by an authority in --trust, or by the digest that was approved", 1, importMasterList),
		continueCommand("csca FILE…", "country authorities, DER or PEM, that you got from somewhere you trust", -1, func(args []string, held *trust.Bundle) (*trust.Bundle, trust.Report, error) {
			files, err := namedInputs(args)
			if err != nil {
				return nil, nil, err
			}
			return trust.ImportCSCA(files, held, time.Now())
		}),
		continueCommand("crl FILE…", "revocation lists, DER or PEM, of authorities in --trust; an older one than is there is refused", -1, func(args []string, held *trust.Bundle) (*trust.Bundle, trust.Report, error) {
			files, err := namedInputs(args)
			if err != nil {
				return nil, nil, err
			}
			return trust.ImportCRL(files, held, time.Now())
		}),
	}
}

// continueCommand is an import that goes on with what --trust holds.
func continueCommand(use, short string, arguments int, read func(args []string, held *trust.Bundle) (*trust.Bundle, trust.Report, error)) *cobra.Command {
	var dir string
	cmd := importCommand(use, short, arguments, func(args []string) (*trust.Bundle, trust.Report, error) {
		if dir == "" {
			return read(args, nil)
		}
		held, flaws, err := trust.Load(os.DirFS(dir))
		if err != nil {
			return nil, nil, usageError{fmt.Errorf("trust directory: %w", err)}
		}
		if len(flaws) > 0 { // what is left out here would be lost in the new one
			return nil, flaws, errors.New("--trust has parts that cannot be used: make it anew first")
		}
		return read(args, held)
	})
	cmd.Flags().StringVar(&dir, "trust", "", "trust directory to go on with")
	return cmd
}

func importMasterList(args []string, held *trust.Bundle) (*trust.Bundle, trust.Report, error) {
	name, digest, pinned := strings.Cut(args[0], "=")
	if pinned == (digest == "") {
		return nil, nil, usageError{errors.New("the digest after = is the SHA-256 of the bytes that were approved")}
	}
	content, err := readInput(name, nil)
	if err != nil {
		return nil, nil, err
	}
	return trust.ImportMasterList(trust.MasterList{Content: content, Digest: digest}, held, time.Now())
}

func namedInputs(names []string) (files []trust.File, err error) {
	contents, err := readInputs(names)
	for i, content := range contents {
		files = append(files, trust.File{Name: filepath.Base(names[i]), Content: content})
	}
	return files, err
}
