package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"akashi/certificate/trust"
)

// importAuthorities are the imports of country authorities (CSCA) and their lists. Each makes a
// new directory of what another one holds and of what was taken.
func importAuthorities() []*cobra.Command {
	var pins []string
	var label string
	masterList := continueCommand("masterlist LIST", "country authorities of a master list or Health Master List (CMS), proven by an authority in --trust, or its digest approved with --pin", 1, func(args []string, held *trust.Bundle) (*trust.Bundle, trust.Report, error) {
		content, err := readInput(args[0], nil)
		if err != nil {
			return nil, nil, err
		}
		digest := pinned(content, pins)
		if digest == "" && len(pins) > 0 {
			return nil, nil, trust.ErrNotPinned
		}
		return trust.ImportMasterList(trust.MasterList{Content: content, Digest: digest, Label: label}, held, time.Now())
	})
	masterList.Flags().StringArrayVar(&pins, "pin", nil, "sha256:HEX of a list that was looked at and approved")
	masterList.Flags().StringVar(&label, "label", "", "what tells this list from another one of the same state, such as health; a list takes the place of the one before of its state and label")
	return []*cobra.Command{
		masterList,
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
	cmd := importOver(use, short, arguments, func(args []string) (b, held *trust.Bundle, report trust.Report, err error) {
		if dir != "" {
			if held, report, _, err = readTrust(dir, "", os.Stderr); err != nil {
				return nil, nil, nil, usageError{fmt.Errorf("trust directory: %w", err)}
			}
			if len(report) > 0 { // what is left out here would be lost in the new one
				return nil, nil, report, errors.New("--trust has parts that cannot be used: make it anew first")
			}
		}
		b, report, err = read(args, held)
		return b, held, report, err
	})
	cmd.Flags().StringVar(&dir, "trust", "", "trust directory to go on with")
	return cmd
}

func namedInputs(names []string) (files []trust.File, err error) {
	contents, err := readInputs(names)
	for i, content := range contents {
		files = append(files, trust.File{Name: filepath.Base(names[i]), Content: content})
	}
	return files, err
}
