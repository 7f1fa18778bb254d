// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Code says what a request asks for. Values and names are those of the Java class RequestCode.
type Code int32

// The codes that the program or a test mentions. [Table] has all.
const (
	SendMessage                          Code = 10
	PullMessage                          Code = 11
	QueryMessage                         Code = 12
	QueryBrokerOffset                    Code = 13
	QueryConsumerOffset                  Code = 14
	UpdateConsumerOffset                 Code = 15
	UpdateAndCreateTopic                 Code = 17
	UpdateAndCreateTopicList             Code = 18
	GetTopicConfigList                   Code = 22
	GetTopicNameList                     Code = 23
	UpdateBrokerConfig                   Code = 25
	GetBrokerConfig                      Code = 26
	GetBrokerRuntimeInfo                 Code = 28
	SearchOffsetByTimestamp              Code = 29
	GetMaxOffset                         Code = 30
	GetMinOffset                         Code = 31
	GetEarliestMsgStoreTime              Code = 32
	ViewMessageByID                      Code = 33
	HeartBeat                            Code = 34
	UnregisterClient                     Code = 35
	ConsumerSendMsgBack                  Code = 36
	EndTransaction                       Code = 37
	GetConsumerListByGroup               Code = 38
	CheckTransactionState                Code = 39
	NotifyConsumerIDsChanged             Code = 40
	LockBatchMQ                          Code = 41
	UnlockBatchMQ                        Code = 42
	CheckClientConfig                    Code = 46
	GetClientConfig                      Code = 47
	GetBrokerClusterACLInfo              Code = 52
	GetBrokerClusterACLConfig            Code = 54
	PutKVConfig                          Code = 100
	GetKVConfig                          Code = 101
	RegisterBroker                       Code = 103
	UnregisterBroker                     Code = 104
	GetRouteInfoByTopic                  Code = 105
	GetBrokerClusterInfo                 Code = 106
	UpdateAndCreateSubscriptionGroup     Code = 200
	GetConsumerConnectionList            Code = 203
	GetProducerConnectionList            Code = 204
	WipeWritePermOfBroker                Code = 205
	GetAllTopicListFromNameServer        Code = 206
	DeleteSubscriptionGroup              Code = 207
	GetConsumeStats                      Code = 208
	WhoConsumeTheMessage                 Code = 214
	RegisterTopicInNamesrv               Code = 217
	UpdateAndCreateSubscriptionGroupList Code = 225
	RegisterFilterServer                 Code = 301
	QueryConsumeTimeSpan                 Code = 303
	GetSystemTopicListFromNS             Code = 304
	GetSystemTopicListFromBroker         Code = 305
	GetConsumerRunningInfo               Code = 307
	QueryCorrectionOffset                Code = 308
	SendMessageV2                        Code = 310
	CloneGroupOffset                     Code = 314
	UpdateNamesrvConfig                  Code = 318
	GetNamesrvConfig                     Code = 319
	SendBatchMessage                     Code = 320
	QueryDataVersion                     Code = 322
	SendReplyMessage                     Code = 324
	SendReplyMessageV2                   Code = 325
	GetAllProducerInfo                   Code = 328
	QueryTopicsByConsumer                Code = 343
	LitePullMessage                      Code = 361
	RecallMessage                        Code = 370
	QueryAssignment                      Code = 400
	SetMessageRequestMode                Code = 401
	UpdateAndCreateStaticTopic           Code = 513
	GetBrokerHAStatus                    Code = 907
	GetBrokerEpochCache                  Code = 1007
	NotifyBrokerRoleChanged              Code = 1008
	UpdateControllerConfig               Code = 1009
	UpdateColdDataFlowCtrConfig          Code = 2001
	RemoveColdDataFlowCtrConfig          Code = 2002
	AuthCreateUser                       Code = 3001
	AuthUpdateUser                       Code = 3002
	AuthGetUser                          Code = 3004
	AuthListUser                         Code = 3005
	AuthCreateACL                        Code = 3006
	AuthUpdateACL                        Code = 3007
	AuthGetACL                           Code = 3009
	AuthListACL                          Code = 3010
	DeleteTopicInBrokerList              Code = 5002
	DeleteSubscriptionGroupList          Code = 5003
	PopMessage                           Code = 200050
	AckMessage                           Code = 200051
	PeekMessage                          Code = 200052
	ChangeMessageInvisibleTime           Code = 200053
	Notification                         Code = 200054
	PollingInfo                          Code = 200055
	PopLiteMessage                       Code = 200070
	LiteSubscriptionCtl                  Code = 200071
	AckLiteMessage                       Code = 200072
	GetBrokerLiteInfo                    Code = 200074
	GetParentTopicInfo                   Code = 200075
	GetLiteTopicInfo                     Code = 200076
	GetLiteClientInfo                    Code = 200077
	GetLiteGroupInfo                     Code = 200078
	BatchAckMessage                      Code = 200151
)

// String returns the Java constant name, for instance "SEND_MESSAGE_V2", or "UNKNOWN_REQUEST_CODE_<n>". Only the latter
// allocates: the number comes from a stranger, so it must not become the name of a stat.
func (c Code) String() string {
	if t := Of(c); t.Known() {
		return t.Name
	}
	return "UNKNOWN_REQUEST_CODE_" + strconv.Itoa(int(c))
}

// CodeNamed returns the code with a Java constant name.
func CodeNamed(name string) (Code, bool) {
	for i := range Table {
		if Table[i].Name == name {
			return Table[i].Code, true
		}
	}
	return 0, false
}

// CodeOf returns the request code of a header. ROCKETMQ has room for 16 bits only, so codes above 32767 arrive cut off;
// those of known requests get their number back (3442 is POP_MESSAGE, 200050). The bytes keep what the client wrote.
func CodeOf(h *codec.Header) Code {
	c := Code(h.Code)
	if h.Type == codec.ROCKETMQ && Of(c+cutOff).Known() {
		return c + cutOff
	}
	return c
}

// cutOff is what 16 bits lose of the codes above 32767: the same for all that are known.
const cutOff Code = 3 << 16
