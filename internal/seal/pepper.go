package seal

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Pepper returns the keyed hash, 32 bytes, of a password of the office: what is
// then hashed slowly, so that a stolen table of passwords cannot even be tried
// without the office's key (S-012). An office whose keys are not loaded has no
// passwords; the hash is as good as any then.
func (r *Ring) Pepper(office, password string) []byte {
	secret := r.keeperSecret(office)
	if o := r.loaded(office); o != nil {
		if h := active(o.keys[Pepper]); h != nil {
			secret = h.secret
		}
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(password))
	return mac.Sum(nil)
}

func (r *Ring) keeperSecret(office string) []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.file.derive(office, string(Pepper))
}
