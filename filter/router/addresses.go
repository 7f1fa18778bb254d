// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

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
	addresses := map[codec.RequestCode]Addresses{
		codec.RequestGetRouteInfoByTopic:      {Rewritten: "brokerDatas; filterServerTable is emptied"},
		codec.RequestGetBrokerClusterInfo:     {Rewritten: "brokerAddrTable"},
		codec.RequestGetSystemTopicListFromNS: {Rewritten: "brokerAddr"},
		codec.RequestQueryTopicsByConsumer:    {Rewritten: "brokerAddr"},

		codec.RequestSendMessage:        {Stored: "msgId"},
		codec.RequestSendMessageV2:      {Stored: "msgId"},
		codec.RequestSendBatchMessage:   {Stored: "msgId"},
		codec.RequestSendReplyMessage:   {Stored: "msgId"},
		codec.RequestSendReplyMessageV2: {Stored: "msgId"},

		codec.RequestPullMessage:     {Stored: storedMessages},
		codec.RequestLitePullMessage: {Stored: storedMessages},
		codec.RequestPopMessage:      {Stored: storedMessages},
		codec.RequestPopLiteMessage:  {Stored: storedMessages},
		codec.RequestPeekMessage:     {Stored: storedMessages},
		codec.RequestQueryMessage:    {Stored: storedMessages},
		codec.RequestViewMessageByID: {Stored: storedMessages},

		codec.RequestCheckTransactionState:    {Stored: "offsetMsgId, " + storedMessages},
		codec.RequestConsumeMessageDirectly:   {Stored: storedMessages},
		codec.RequestPushReplyMessageToClient: {Data: "storeHost, bornHost"},

		codec.RequestGetKVConfig:             {Data: "what was put there"},
		codec.RequestGetKVListByNamespace:    {Data: "what was put there"},
		codec.RequestGetNamesrvConfig:        {Data: "bindAddress, listenPort"},
		codec.RequestGetBrokerConfig:         {Data: "brokerIP1, brokerIP2, namesrvAddr, haMasterAddress, controllerAddr"},
		codec.RequestGetBrokerConsumeStats:   {Data: "brokerAddr"},
		codec.RequestGetBrokerHAStatus:       {Data: "addr of each replica, masterAddr"},
		codec.RequestGetBrokerClusterACLInfo: {Data: "brokerAddr"},

		// Of clients, as the broker sees them: through the proxy they come from its address.
		codec.RequestGetConsumerConnectionList: {Data: "clientAddr"},
		codec.RequestGetProducerConnectionList: {Data: "clientAddr"},
		codec.RequestGetAllProducerInfo:        {Data: "remoteIP"},
		codec.RequestGetConsumerRunningInfo:    {Data: "PROP_NAMESERVER_ADDR, as the client is configured"},
		codec.RequestAuthGetACL:                {Data: "sourceIps"},
		codec.RequestAuthListACL:               {Data: "sourceIps"},
		codec.RequestGetBrokerClusterACLConfig: {Data: "globalWhiteAddrs, whiteRemoteAddress"},
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
