// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// ACL is the access control that brokers have. With either, every request to a broker must be signed.
type ACL int

const (
	// NoACL lets everyone do everything.
	NoACL ACL = iota
	// ACL1 is RocketMQ's access control 1.0, with accounts in plain_acl.yml. It was removed in 5.3.3, so name server
	// and brokers are then of the release versions.RocketMQACL1.
	ACL1
	// ACL2 is access control 2.0, with users and rights that the brokers store.
	ACL2
)

// Account is a user of RocketMQ. The zero value signs nothing.
type Account struct {
	AccessKey, SecretKey string
}

var (
	// Administrator may do everything. The World itself and the brokers among themselves use it.
	Administrator = Account{AccessKey: "administrator", SecretKey: "administrator-secret"}
	// Application may send to all topics and consume in all groups, and nothing else.
	Application = Account{AccessKey: "application", SecretKey: "application-secret"}
)

// Sign adds the account's key and signature to the fields of a request.
func (a Account) Sign(fields map[string]string, body []byte) {
	if a.AccessKey == "" {
		return
	}
	fields["AccessKey"] = a.AccessKey
	mac := hmac.New(sha1.New, []byte(a.SecretKey))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != "Signature" {
			mac.Write([]byte(fields[name]))
		}
	}
	mac.Write(body)
	fields["Signature"] = base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// plainACL is ACL1's plain_acl.yml.
var plainACL = fmt.Sprintf(`accounts:
- accessKey: %s
  secretKey: %s
  admin: true
- accessKey: %s
  secretKey: %s
  admin: false
  defaultTopicPerm: PUB|SUB
  defaultGroupPerm: SUB
`, Administrator.AccessKey, Administrator.SecretKey, Application.AccessKey, Application.SecretKey)

// writePlainACL puts plain_acl.yml where a broker looks for it.
func (b *Broker) writePlainACL() error {
	folder := filepath.Join(b.world.Dir, b.folder, "conf")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "plain_acl.yml"), []byte(plainACL), 0o644)
}

// config is what a broker's properties say of access control.
func (a ACL) config() map[string]string {
	switch a {
	case ACL1:
		return map[string]string{"aclEnable": "true"}
	case ACL2:
		return map[string]string{
			"authenticationEnabled":                "true",
			"authenticationMetadataProvider":       "org.apache.rocketmq.auth.authentication.provider.LocalAuthenticationMetadataProvider",
			"initAuthenticationUser":               fmt.Sprintf(`{"username":%q,"password":%q}`, Administrator.AccessKey, Administrator.SecretKey),
			"innerClientAuthenticationCredentials": fmt.Sprintf(`{"accessKey":%q,"secretKey":%q}`, Administrator.AccessKey, Administrator.SecretKey),
			"authorizationEnabled":                 "true",
			"authorizationMetadataProvider":        "org.apache.rocketmq.auth.authorization.provider.LocalAuthorizationMetadataProvider",
		}
	default:
		return nil
	}
}

// createApplication makes the user Application, with its rights, on a broker with ACL2.
func (b *Broker) createApplication(ctx context.Context) error {
	user, err := json.Marshal(map[string]string{"username": Application.AccessKey, "password": Application.SecretKey, "userType": "Normal", "userStatus": "enable"})
	if err != nil {
		return err
	}
	if _, err := b.world.call(ctx, b.Addr, createUser, map[string]string{"username": Application.AccessKey}, user); err != nil {
		return err
	}
	type entry struct {
		Resource string   `json:"resource"`
		Actions  []string `json:"actions"`
		Decision string   `json:"decision"`
	}
	type policy struct {
		Type    string  `json:"policyType"`
		Entries []entry `json:"entries"`
	}
	subject := "User:" + Application.AccessKey
	rights, err := json.Marshal(map[string]any{"subject": subject, "policies": []policy{{"Custom", []entry{
		{"Topic:*", []string{"Pub", "Sub"}, "Allow"},
		{"Group:*", []string{"Sub"}, "Allow"},
	}}}})
	if err != nil {
		return err
	}
	_, err = b.world.call(ctx, b.Addr, createACL, map[string]string{"subject": subject}, rights)
	return err
}

// account signs the World's own requests.
func (w *World) account() Account {
	if w.opt.ACL == NoACL {
		return Account{}
	}
	return Administrator
}

// GuardNameServer has the name server, from its next start on, refuse what neither Administrator nor Application has
// signed. Apache's name server, up to 5.4.0, has no such option of its own; see test/java's GuardedNameServer. Brokers
// sign what they send to it with ACL2 only.
func (w *World) GuardNameServer() { w.guarded.Store(true) }
