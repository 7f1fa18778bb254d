// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"

// Addresses names what holds addresses in the answers to requests of one code, or in requests of brokers to clients.
type Addresses struct {
	// Rewritten parts name addresses of the proxy, or none: clients dial them.
	Rewritten string
	// Data passes as it is: no client dials it.
	Data string
	// Stored is part of a stored message or made of it. It passes as it is, though some clients dial it: see
	// docs/TROUBLESHOOTING.md.
	Stored string
}

// storedMessages are the addresses in every stored message.
const storedMessages = "storeHost and bornHost of each message"

// withAddresses completes a table by what answers of RocketMQ 4.2.0 to 5.5.1 hold (the processors of its broker and name
// server). A code that is not here has none.
func withAddresses(table []Kind) []Kind {
	addresses := map[requests.Code]Addresses{
		requests.GetRouteInfoByTopic:      {Rewritten: "brokerDatas; filterServerTable is emptied"},
		requests.GetBrokerClusterInfo:     {Rewritten: "brokerAddrTable"},
		requests.GetSystemTopicListFromNS: {Rewritten: "brokerAddr"},
		requests.QueryTopicsByConsumer:    {Rewritten: "brokerAddr"},

		requests.SendMessage:        {Stored: "msgId"},
		requests.SendMessageV2:      {Stored: "msgId"},
		requests.SendBatchMessage:   {Stored: "msgId"},
		requests.SendReplyMessage:   {Stored: "msgId"},
		requests.SendReplyMessageV2: {Stored: "msgId"},

		requests.PullMessage:     {Stored: storedMessages},
		requests.LitePullMessage: {Stored: storedMessages},
		requests.PopMessage:      {Stored: storedMessages},
		requests.PopLiteMessage:  {Stored: storedMessages},
		requests.PeekMessage:     {Stored: storedMessages},
		requests.QueryMessage:    {Stored: storedMessages},
		requests.ViewMessageByID: {Stored: storedMessages},

		requests.CheckTransactionState:    {Stored: "offsetMsgId, " + storedMessages},
		requests.ConsumeMessageDirectly:   {Stored: storedMessages},
		requests.PushReplyMessageToClient: {Data: "storeHost, bornHost"},

		requests.GetKVConfig:             {Data: "what was put there"},
		requests.GetKVListByNamespace:    {Data: "what was put there"},
		requests.GetNamesrvConfig:        {Data: "bindAddress, listenPort"},
		requests.GetBrokerConfig:         {Data: "brokerIP1, brokerIP2, namesrvAddr, haMasterAddress, controllerAddr"},
		requests.GetBrokerConsumeStats:   {Data: "brokerAddr"},
		requests.GetBrokerHAStatus:       {Data: "addr of each replica, masterAddr"},
		requests.GetBrokerClusterACLInfo: {Data: "brokerAddr"},

		// Of clients, as the broker sees them: through the proxy they come from its address.
		requests.GetConsumerConnectionList: {Data: "clientAddr"},
		requests.GetProducerConnectionList: {Data: "clientAddr"},
		requests.GetAllProducerInfo:        {Data: "remoteIP"},
		requests.GetConsumerRunningInfo:    {Data: "PROP_NAMESERVER_ADDR, as the client is configured"},
		requests.AuthGetACL:                {Data: "sourceIps"},
		requests.AuthListACL:               {Data: "sourceIps"},
		requests.GetBrokerClusterACLConfig: {Data: "globalWhiteAddrs, whiteRemoteAddress"},
	}
	for i := range table {
		table[i].Addresses = addresses[table[i].Code]
		delete(addresses, table[i].Code)
	}
	if len(addresses) > 0 {
		panic("addresses of a code without a row")
	}
	return table
}
