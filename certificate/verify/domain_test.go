package verify

import (
	"testing"
)

// who-icvp-gdhcn, 7: a signer vouches for what it is listed for; who is listed for pilgrims'
// summaries makes no yellow card. A key that is listed for both does.
func TestDomains(t *testing.T) {
	judged := 0
	for _, c := range healthCases(t, "who/hcert/synthetic-icvp-vhl.json") {
		if c.ID != "icvp-gen3" && c.ID != "icvp-gen2" {
			continue
		}
		judged++
		good := signerOf(t, c.Certificate)
		other := good
		other.dom = "IPS-PILGRIMAGE"
		for domain, want := range map[string]string{
			"": "", "ICVP": "", "icvp": "", "RACSEL-DDVC": "", "IPS-PILGRIMAGE": "key domain_differs", "DCC": "key domain_differs", "PH4H": "key domain_differs",
		} {
			l := good
			l.dom = domain
			if got := shown(Text(c.QR, listOf(t, l), c.Clock)); got != want && shown(Text(c.QR, listOf(t, good), c.Clock)) == "" {
				t.Errorf("%s, listed for %q: %s, want %s", c.ID, domain, got, want)
			}
		}
		icvp := good
		icvp.dom = "ICVP"
		if got := shown(Text(c.QR, listOf(t, other, icvp), c.Clock)); got != shown(Text(c.QR, listOf(t, good), c.Clock)) {
			t.Errorf("%s, listed for both: %s", c.ID, got)
		}
	}
	if judged == 0 {
		t.Error("no yellow card was judged")
	}
}
