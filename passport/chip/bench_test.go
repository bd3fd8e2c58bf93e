package chip_test

import (
	"testing"

	"akashi/internal/testkit"
	"akashi/passport/chip"
)

// One chip of a signer that was met before: one signature is checked, its chain is known.
func BenchmarkCheck(b *testing.B) {
	const dir = "emrtd/synthetic/"
	for name, c := range map[string]struct{ folder, csca string }{
		"nist":      {"ok-01-ecdsa-explicit", "csca-jpn-test.der"},
		"rsa-pss":   {"ok-02-rsa-pss", "csca-rsa-test.der"},
		"brainpool": {"ok-04-brainpool", "csca-deu-brainpool-test.der"},
	} {
		in := chip.Input{SOD: testkit.Read(b, dir+c.folder+"/EF_SOD.bin"), DG1: testkit.Read(b, dir+c.folder+"/EF_DG1.bin")}
		known := trusting(b, at, [][]byte{testkit.Read(b, dir+c.csca)})
		b.Run(name, func(b *testing.B) {
			testkit.InSignUnits(b, func() {
				if v := chip.Check(in, known, at); v.Outcome != chip.Valid {
					b.Fatal(v.Outcome)
				}
			})
		})
	}
}
