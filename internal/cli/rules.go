package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"akashi/certificate/certlogic"
	"akashi/certificate/verify"
)

// maxRules bounds how many rules a directory holds; all States together had fewer.
const maxRules = 2000

// businessRules reads every rule below a directory. One that cannot be read is an error:
// what is left out might be what refuses.
func businessRules(dir, destination string) (rules certlogic.Rules, err error) {
	switch {
	case dir == "" && destination == "":
		return nil, nil
	case dir == "" || len(destination) != 2:
		return nil, usageError{errors.New("--rules DIR and --to CC, a country of two letters, go together")}
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		if len(rules) == maxRules {
			return errors.New("too many rules")
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r, err := certlogic.ParseRule(b)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		rules = append(rules, r)
		return nil
	})
	if err == nil && len(rules) == 0 {
		err = errors.New("no rules in the directory")
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("--rules: %s", strings.TrimSpace(err.Error()))}
	}
	return rules, nil
}

// rulesStatus is the exit status of the rules alone.
func rulesStatus(results []verify.RuleResult) int {
	status := 0
	for _, r := range results {
		switch r.Result {
		case certlogic.Failed:
			return 1
		case certlogic.Open:
			status = 3
		}
	}
	return status
}
