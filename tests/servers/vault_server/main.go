// A Vault server for tests: Vault's own core and HTTP handler, with the KV secrets engine and three ways to sign in.
//
// It keeps everything in memory, listens on a free port of 127.0.0.1 (TLS with the certificate and the key that are
// given as arguments, if they are), prints its address and the root token as JSON, and ends with its standard input.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	jwt "github.com/hashicorp/vault-plugin-auth-jwt"
	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/credential/approle"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

var engines = map[string]logical.Factory{"kv": kv.Factory}

var logins = map[string]logical.Factory{
	"approle":    approle.Factory,
	"jwt":        jwt.Factory,
	"kubernetes": kubernetes.Factory,
}

func main() {
	log.SetFlags(0)
	core, token := started()
	listener := listening()
	server := &http.Server{
		Handler:  vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core}),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() { must(server.Serve(listener)) }()
	scheme := "http://"
	if len(os.Args) == 3 {
		scheme = "https://"
	}
	must(json.NewEncoder(os.Stdout).Encode(map[string]string{
		"address": scheme + listener.Addr().String(),
		"token":   token,
	}))
	_, err := io.Copy(io.Discard, os.Stdin)
	must(err)
}

// started is a core that is initialised and unsealed, and its root token.
func started() (*vault.Core, string) {
	logger := hclog.NewNullLogger()
	storage, err := inmem.NewInmem(nil, logger)
	must(err)
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		DisableMlock:       true,
		Logger:             logger,
		LogicalBackends:    engines,
		CredentialBackends: logins,
		BuiltinRegistry:    builtin{},
	})
	must(err)
	made, err := core.Initialize(context.Background(), &vault.InitParams{
		BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
	})
	must(err)
	_, err = core.Unseal(made.SecretShares[0])
	must(err)
	return core, made.RootToken
}

// builtin tells the core's catalogue of plugins what this program has, so that it looks for no other programs.
type builtin struct{}

func (builtin) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	factory := engines[name]
	if kind == consts.PluginTypeCredential {
		factory = logins[name]
	}
	return func() (interface{}, error) { return factory, nil }, factory != nil
}

func (b builtin) Contains(name string, kind consts.PluginType) bool {
	_, found := b.Get(name, kind)
	return found
}

func (builtin) Keys(consts.PluginType) []string { return nil }

func (builtin) DeprecationStatus(string, consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, true
}

func (builtin) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

func listening() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	if len(os.Args) != 3 {
		return listener
	}
	pair, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	must(err)
	return tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
