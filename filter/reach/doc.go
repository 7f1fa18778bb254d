// SPDX-License-Identifier: Apache-2.0

// Package reach decides where the proxy may connect to: never back to itself, and to brokers only in the networks where
// brokers may be. Whoever can make a broker register chooses the address that name servers return for it, so no such
// address is dialled before [Rules] has allowed it.
package reach
