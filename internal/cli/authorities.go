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
	masterList := continueCommand(inputs{usage: "masterlist LIST", count: 1}, "country authorities of a master list or Health Master List (CMS), proven by an authority in --trust, or its digest approved with --pin", func(files []input, held *trust.Bundle) (*trust.Bundle, trust.Report, error) {
		content := files[0].Content
		digest := pinned(content, pins)
		if digest == "" && len(pins) > 0 {
			return nil, nil, trust.ErrNotPinned
		}
		return trust.ImportMasterList(trust.MasterList{Content: content, Digest: digest, Label: label}, held, time.Now())
	})
	masterList.Flags().StringArrayVar(&pins, "pin", nil, "sha256:HEX of a list that was looked at and approved")
	masterList.Flags().StringVar(&label, "label", "", "what tells this list from another one of the same state, such as health; a list takes the place of the one before of its state and label")
	var approved []string
	csca := continueCommand(inputs{usage: "csca FILE…", count: -1}, "country authorities, DER or PEM, that you got from somewhere you trust; one that is fetched needs its --pin", func(files []input, held *trust.Bundle) (*trust.Bundle, trust.Report, error) {
		for _, f := range files {
			if f.fetched && pinned(f.Content, approved) == "" {
				return nil, nil, fmt.Errorf("%s was fetched: compare it with what its state tells elsewhere, and if it is right: --pin %s", clean1(f.Name), digestOf(f.Content))
			}
		}
		return trust.ImportCSCA(filesOf(files), held, time.Now())
	})
	csca.Flags().StringArrayVar(&approved, "pin", nil, "sha256:HEX of an authority that is fetched, compared with what you got from somewhere you trust; once for each")
	return []*cobra.Command{
		masterList, csca,
		continueCommand(inputs{usage: "crl FILE…", count: -1}, "revocation lists, DER or PEM, of authorities in --trust; an older one than is there is refused", func(files []input, held *trust.Bundle) (*trust.Bundle, trust.Report, error) {
			return trust.ImportCRL(filesOf(files), held, time.Now())
		}),
	}
}

// continueCommand is an import that goes on with what --trust holds.
func continueCommand(in inputs, short string, read func(files []input, held *trust.Bundle) (*trust.Bundle, trust.Report, error)) *cobra.Command {
	var dir string
	var cmd *cobra.Command
	cmd = importOver(in, short, func(files []input) (b, held *trust.Bundle, report trust.Report, err error) {
		if out := cmd.Flag("out").Value.String(); filepath.Clean(out) != filepath.Clean(dir) {
			if _, err := os.Stat(filepath.Join(out, "manifest.json")); err == nil { // what it has would be lost, the newest lists too
				return nil, nil, nil, usageError{fmt.Errorf("%s is there already: go on with it by --trust %s, or name another", clean1(out), clean1(out))}
			}
		}
		if dir != "" {
			if held, report, _, err = readTrust(dir, "", os.Stderr); err != nil {
				return nil, nil, nil, usageError{fmt.Errorf("trust directory: %w", err)}
			}
			if len(report) > 0 { // what is left out here would be lost in the new one
				return nil, nil, report, errors.New("--trust has parts that cannot be used: make it anew first")
			}
		}
		b, report, err = read(files, held)
		return b, held, report, err
	})
	cmd.Flags().StringVar(&dir, "trust", "", "trust directory to go on with")
	return cmd
}
