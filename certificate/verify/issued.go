package verify

import (
	"crypto/sha256"
	"time"
)

// LogDelay is the longest time from the signing of a certificate to the issuance
// log that has it (docs/issuance-log.md): what may be younger than that is not
// said to be missing.
const LogDelay = 15 * time.Minute

// checkIssued asks the issuance log of the key, if the bundle has it. signed is
// when, at the latest, the certificate says it was signed; zero if it does not tell.
func (x *examination) checkIssued(key string, digest [sha256.Size]byte, signed time.Time) {
	log := x.bundle.Issuances(key)
	if log == nil {
		x.set(Issued, NotApplicable, NoIssuanceLog)
		return
	}
	through := log.Through.Format(time.RFC3339)
	if x.verdict.Facet(Signature).Result != OK {
		return // another failure says it
	}
	logged, known := log.Has(digest)
	young := signed.After(log.Through.Add(-LogDelay))
	if signed.IsZero() {
		young = x.at.Sub(log.Through) > LogDelay
	}
	switch {
	case logged:
		x.set(Issued, OK, InIssuanceLog, "through", through)
	case !known:
		x.set(Issued, Unknown, IssuanceLogPart, "through", through)
	case young:
		x.set(Issued, Unknown, IssuanceLogOld, "through", through)
	case !signed.IsZero() && signed.Before(log.Since):
		x.set(Issued, Unknown, BeforeIssuanceLog, "since", log.Since.Format(time.RFC3339))
	default:
		x.set(Issued, Failed, NotInIssuanceLog, "through", through)
	}
}
