package verify

import (
	"strconv"
	"time"

	"akashi/certificate"
	"akashi/certificate/trust"
)

// MaxStatusAge is how long the last good status list is gone by (S-069).
const MaxStatusAge = 48 * time.Hour

// checkStatus asks the status list of the key, if the bundle has one, and says how
// old it is. What ended stays ended however old the list; that a code is not in it
// tells something for MaxStatusAge only. The list of the family, which was asked
// before, cannot tell superseded from revoked: this one's word counts.
func (x *examination) checkStatus(key string, family certificate.Family, id string) {
	list := x.bundle.Status(key)
	before := x.verdict.Facet(Revocation)
	if list == nil || x.verdict.Facet(Signature).Result != OK || before.Code == SignerRevoked {
		return
	}
	if list.Marks == nil {
		if before.Result != Failed {
			x.set(Revocation, Unknown, ListMissing)
		}
		return
	}
	age := x.at.Sub(list.MadeAt)
	detail := []string{
		"list_version", strconv.FormatInt(list.Version, 10), "list_made_at", list.MadeAt.Format(time.RFC3339),
		"list_age", max(age, 0).Truncate(time.Minute).String(),
	}
	switch why := list.Why(family, id); {
	case why == trust.Superseded:
		x.set(Revocation, Failed, Superseded, detail...)
	case why == trust.Revoked:
		x.set(Revocation, Failed, Revoked, detail...)
	case before.Result == Failed || before.Result == Unknown && before.Code != NotChecked:
	case age > MaxStatusAge:
		x.set(Revocation, Unknown, StatusUnknown, detail...)
	default:
		x.set(Revocation, OK, NotRevoked, detail...)
	}
}
