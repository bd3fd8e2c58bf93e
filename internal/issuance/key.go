package issuance

import (
	"context"
	"strings"

	"akashi/internal/fault"
	"akashi/signing"
)

// activeKey is the one key of this installation that may sign for a purpose now.
func (s *Service) activeKey(ctx context.Context, p signing.Purpose) (signing.Key, error) {
	issuer := s.Identity.VDSNCIssuer
	if p == signing.SHC {
		issuer = s.Identity.SHCIssuer
	}
	key, ok, err := s.oneKey(ctx, p, issuer)
	if err == nil && !ok {
		err = fault.New(fault.Unavailable, "no_active_key", string(p))
	}
	return key, err
}

// oneKey is the key of a purpose and an issuer that may sign now, if there is one.
// Of several none is taken: which of them signs must not be left to chance.
func (s *Service) oneKey(ctx context.Context, p signing.Purpose, issuer string) (key signing.Key, ok bool, err error) {
	keys, err := s.Store.SigningKeys(ctx)
	if err != nil {
		return key, false, err
	}
	now := s.Clock.Now()
	var ids []string
	for _, k := range keys {
		if k.Purpose == p && k.Issuer == issuer && k.State == signing.Active && !now.Before(k.UsageFrom) && now.Before(k.UsageTo) {
			key, ids = k, append(ids, k.ID)
		}
	}
	if len(ids) > 1 {
		return signing.Key{}, false, fault.New(fault.Unavailable, "several_active_keys", string(p)).With("keys", strings.Join(ids, " "))
	}
	return key, len(ids) == 1, nil
}
