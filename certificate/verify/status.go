package verify

import (
	"strconv"

	"akashi/certificate"
	"akashi/certificate/trust"
)

// checkStatus asks the status list of the key, if the bundle has one, and says how
// old it is. What ended stays ended however old the list; that a code is not in it
// tells something for as long as ages.json says (S-069). The list of the family, which was asked
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
	detail := append(x.ageDetail(list.MadeAt), "list_version", strconv.FormatInt(list.Version, 10))
	switch why := list.Why(family, id); {
	case why == trust.Superseded:
		x.set(Revocation, Failed, Superseded, detail...)
	case why == trust.Revoked:
		x.set(Revocation, Failed, Revoked, detail...)
	case before.Result == Failed || before.Result == Unknown && before.Code != NotChecked:
	default:
		x.set(Revocation, OK, NotRevoked, detail...)
		x.checkListAge(trust.KindStatus, list.MadeAt)
	}
}
