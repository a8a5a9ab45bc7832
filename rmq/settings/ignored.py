"""Keys of Apache RocketMQ 5.4.0 that are accepted and have no effect, each group with its reason.

They are declared so that a foreign configuration file loads, a bad value of them is still reported, and the
listings show what Apache's do. A line of a group holds keys of one type with their defaults; `?` is a default
that follows from the number of processors, `$` one that comes from the environment, `-` is "not set", which Apache
does not list either.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from rmq.settings.broker import OPEN_BROKER
from rmq.settings.environment import rocketmq_home
from rmq.settings.namesrv import OPEN_NAMESRV
from rmq.settings.option import Option, Value

_TYPES: dict[str, tuple[type, int]] = {
    "boolean": (bool, 32), "int": (int, 32), "long": (int, 64), "double": (float, 64), "String": (str, 32),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """Keys that are ignored for one reason.

    Attributes:
        section: `namesrv`, `broker`, `server`, `client` or `store`.
        reason: why they have no effect.
        rows: the keys, see the module's text.
        refused: why another value than the default is not even accepted.
        quiet: Apache does not list the keys unless they are set.
    """

    section: str
    reason: str
    rows: str
    refused: str | None = None
    quiet: bool = False


GROUPS = (
    Group("namesrv", "Nothing is read from an installation of Apache's.", "String rocketmqHome=$"),
    Group("namesrv", "Requests are handled by one thread in the order in which they come.", """
        int clientRequestThreadPoolNums=8 defaultThreadPoolNums=16 clientRequestThreadPoolQueueCapacity=50000
        int defaultThreadPoolQueueCapacity=10000 unRegisterBrokerQueueCapacity=3000
        """),
    Group("namesrv", "Routes are never fetched from another environment.", """
        boolean clusterTest=false
        String productEnvName=center
        """),
    Group("namesrv", "There is no controller.", "boolean enableControllerInNamesrv=false",
          refused="there is no controller in this name server"),
    Group("namesrv", "Access rights are not checked.",
          "boolean aclEnable=false authenticationEnabled=false authorizationEnabled=false",
          refused=OPEN_NAMESRV, quiet=True),
    Group("broker", "Nothing is read from an installation of Apache's.", "String rocketmqHome=$"),
    Group("broker", "A send is handled when it comes; none waits in a queue.", """
        int sendThreadPoolQueueCapacity=10000
        long waitTimeMillsInSendQueue=200
        boolean brokerFastFailureEnable=true
        """),
    Group("broker", "Requests are handled by one thread in the order in which they come.", """
        int sendMessageThreadPoolNums=? putMessageFutureThreadPoolNums=? pullMessageThreadPoolNums=?
        int litePullMessageThreadPoolNums=? ackMessageThreadPoolNums=16 processReplyMessageThreadPoolNums=?
        int queryMessageThreadPoolNums=? adminBrokerThreadPoolNums=16 clientManageThreadPoolNums=32
        int consumerManageThreadPoolNums=32 loadBalanceProcessorThreadPoolNums=32 heartbeatThreadPoolNums=?
        int recoverThreadPoolNums=32 endTransactionThreadPoolNums=? putThreadPoolQueueCapacity=10000
        int pullThreadPoolQueueCapacity=100000 litePullThreadPoolQueueCapacity=100000
        int ackThreadPoolQueueCapacity=100000 replyThreadPoolQueueCapacity=10000
        int queryThreadPoolQueueCapacity=20000 clientManagerThreadPoolQueueCapacity=1000000
        int consumerManagerThreadPoolQueueCapacity=1000000 heartbeatThreadPoolQueueCapacity=50000
        int endTransactionPoolQueueCapacity=100000 adminBrokerThreadPoolQueueCapacity=10000
        int loadBalanceThreadPoolQueueCapacity=100000
        long waitTimeMillsInPullQueue=5000 waitTimeMillsInLitePullQueue=5000 waitTimeMillsInHeartbeatQueue=31000
        long waitTimeMillsInTransactionQueue=3000 waitTimeMillsInAckQueue=3000
        long waitTimeMillsInAdminBrokerQueue=5000
        boolean recoverConcurrently=false asyncSendEnable=true enableFastChannelEventProcess=false
        """),
    Group("broker", "Waiting pops are kept as long as they wait, however many topics and groups they name.", """
        int popPollingMapSize=100000 popPollingMapExpireTimeSeconds=600
        """),
    Group("broker", "A waiting pop is woken by every message with one of its tags.",
          "long popLongPollingForceNotifyInterval=800"),
    Group("broker", "The revive log is read in small steps whenever it has grown.", """
        long reviveMaxSlow=3 reviveScanTime=10000
        """),
    Group("broker", "An acknowledgement without a check point is passed over at once.", """
        long reviveAckWaitMs=180000
        boolean enableSkipLongAwaitingAck=false
        """),
    Group("broker", "A check point whose messages cannot be put back stays where it is and is tried again.",
          "boolean skipWhenCKRePutReachMaxTimes=false"),
    Group("broker", "Check points and acknowledgements are stored when they come; none waits in a thread.",
          "boolean appendAckAsync=false appendCkAsync=false"),
    Group("broker", "POP's check points are always kept in the revive log, never in RocksDB.", """
        int popReviveMaxReturnSizePerRead=16384 popReviveConcurrency=32 popReviveMaxAttemptTimes=16
        boolean popConsumerFSServiceInit=true popConsumerKVServiceLog=false popConsumerKVServiceInit=false
        boolean popConsumerKVServiceEnable=false
        """),
    Group("broker", "Messages have no priorities.", """
        int popFromRetryProbabilityForPriority=0
        boolean priorityOrderAsc=true
        """),
    Group("broker", "Single pops are not logged.", "boolean enablePopLog=false"),
    Group("broker", "The lag of groups that pop is not computed.", "boolean enableNotifyBeforePopCalculateLag=true"),
    Group("broker", "There is no controller.", """
        String controllerAddr=
        boolean fetchControllerAddrByDnsLookup=false
        long syncBrokerMetadataPeriod=5000 checkSyncStateSetPeriod=5000 syncControllerMetadataPeriod=10000
        long controllerHeartBeatTimeoutMills=10000
        int brokerElectionPriority=2147483647
        """),
    Group("broker", "There is no controller.", "boolean enableControllerMode=false",
          refused="there is no controller that could switch this broker's role"),
    Group("broker", "Queues are locked on this broker only, as always where totalReplicas is 1.",
          "boolean lockInStrictMode=false"),
    Group("broker", "A slave does not stand in for its master.", """
        boolean enableSlaveActingMaster=false enableRemoteEscape=false skipPreOnline=false
        boolean compatibleWithOldNameSrv=true enableBroadcastOffsetStore=true
        int brokerHeartbeatInterval=1000 sendHeartbeatTimeoutMillis=1000 syncBrokerMemberGroupPeriod=1000
        int cleanOfflineBrokerInterval=30000
        long brokerNotActiveTimeoutMillis=10000 forwardTimeout=3000 broadcastOffsetExpireSecond=120
        long broadcastOffsetExpireMaxSecond=300
        """),
    Group("broker", "A change registers the topics that changed, a period registers all, in one request.", """
        boolean enableSingleTopicRegister=false enableSplitRegistration=false enableSplitMetadata=true
        int splitRegistrationSize=800 splitMetadataSize=2000
        """),
    Group("broker", "Every period registers, changed or not.", "boolean forceRegister=true"),
    Group("broker", "A group's subscriptions go with its last client.", "long subscriptionExpiredTimeout=600000"),
    Group("broker", "Every write of changed offsets is a new version of them.",
          "long consumerOffsetUpdateVersionStep=500"),
    Group("broker", "Name servers are given by address, not looked up.", """
        boolean fetchNameSrvAddrByDnsLookup=false fetchNamesrvAddrByAddressServer=false
        int updateNameServerAddrPeriod=120000
        long fetchNamesrvAddrInterval=10000
        String rmqAddressServerDomain=- rmqAddressServerSubGroup=-
        """),
    Group("broker", "Metrics are not exported.", """
        String metricsExporterType=DISABLE metricsGrpcExporterTarget= metricsGrpcExporterHeader=
        String metricsPromExporterHost= metricsLabel=
        int metricsOtelCardinalityLimit=50000 metricsPromExporterPort=5557
        long metricGrpcExporterTimeOutInMills=3000 metricGrpcExporterIntervalInMills=60000
        long metricLoggingExporterIntervalInMills=10000
        boolean metricsInDelta=false enableRemotingMetrics=true enableMessageStoreMetrics=true
        boolean enablePopMetrics=true enableConnectionMetrics=true enableTransactionMetrics=true
        boolean enableStatsMetrics=true enableRequestMetrics=true enableLagAndDlqMetrics=true
        """),
    Group("broker", "Statistics are always kept, and those of topics and groups that went are dropped.", """
        boolean accountStatsEnable=true accountStatsPrintZeroValues=true enableDetailStat=true
        boolean autoDeleteUnusedStats=true enableLmqStats=false estimateAccumulation=true
        int commercialBaseCount=1 commercialSizePerMsg=4096 maxStatsIdleTimeInMinutes=-1
        int flushConsumerOffsetHistoryInterval=60000
        """),
    Group("broker", "Filters are evaluated when messages are pulled, without a bit map made beforehand.",
          "boolean enableCalcFilterBitMap=false"),
    Group("broker", "Cold data is read like any other.", """
        boolean coldCtrStrategyEnable=false usePIDColdCtrStrategy=true
        long cgColdReadThreshold=3145728 globalColdReadThreshold=104857600
        """),
    Group("broker", "Topics, groups and offsets are kept in JSON files.", """
        String configManagerVersion=v1
        boolean useSingleRocksDBForAllConfigs=false
        """),
    Group("broker", "A broker is a process of its own.", """
        boolean isBrokerContainer=false isInBrokerContainer=false inBrokerContainer=- isolateLogEnable=false
        """),
    Group("broker", "The file is the one given with -c.", "String brokerConfigPath=-"),
    Group("broker", "There are no store plug-ins.", "String messageStorePlugIn="),
    Group("broker", "A tuning of Apache's broker without a counterpart here.", """
        boolean highSpeedMode=false transferMsgByHeap=true disableConsumeIfConsumerReadSlowly=false
        boolean rejectPullConsumerEnable=false enableNetWorkFlowControl=false realTimeNotifyConsumerChange=true
        boolean useStaticSubscription=false enableRegisterProducer=true
        boolean enableCreateSysGroup=true printChannelGroups=false checkTransactionMessageEnable=-
        int printChannelGroupsMinNum=5
        long consumerFallbehindThreshold=17179869184
        """),
    Group("broker", "Access rights are not checked.", "boolean authenticationEnabled=false authorizationEnabled=false",
          refused=OPEN_BROKER, quiet=True),
    Group("broker", "Access rights are not checked.", """
        String authenticationProvider=- authenticationStrategy=- authenticationWhitelist=-
        String authorizationProvider=- authorizationStrategy=- authorizationWhitelist=-
        int statefulAuthenticationCacheMaxNum=10000 statefulAuthenticationCacheExpiredSecond=60
        int statefulAuthorizationCacheMaxNum=10000 statefulAuthorizationCacheExpiredSecond=60
        """, quiet=True),
    Group("broker", "Users and rules are always kept, in JSON files beside topics and groups.", """
        String configName=- clusterName=- authConfigPath=-
        String authenticationMetadataProvider=- authorizationMetadataProvider=-
        """, quiet=True),
    Group("broker", "Users and rules of RocketMQ 4 are not taken over.", "boolean migrateAuthFromV1Enabled=false",
          quiet=True),
    Group("broker", "All users and rules are in memory.", """
        int userCacheMaxNum=1000 userCacheExpiredSecond=600 userCacheRefreshSecond=60 aclCacheMaxNum=1000
        int aclCacheExpiredSecond=600 aclCacheRefreshSecond=60
        """, quiet=True),
    Group("server", "One thread serves all connections.", """
        int serverWorkerThreads=8 serverCallbackExecutorThreads=0 serverSelectorThreads=3
        int serverOnewaySemaphoreValue=256 serverAsyncSemaphoreValue=64 shutdownWaitTimeSeconds=30
        boolean serverNettyWorkerGroupEnable=true serverPooledByteBufAllocatorEnable=true
        boolean enableShutdownGracefully=false useEpollNativeSelector=false
        """),
    Group("server", "The operating system chooses buffer sizes.", """
        int serverSocketSndBufSize=0 serverSocketRcvBufSize=0 writeBufferHighWaterMark=0 writeBufferLowWaterMark=0
        """),
    Group("server", "1024 connections may wait to be accepted.", "int serverSocketBacklog=1024"),
    Group("client", "An outgoing connection stays until the other side closes it.",
          "int clientChannelMaxIdleTimeSeconds=120"),
    Group("client", "One thread serves all connections; the operating system chooses buffer sizes.", """
        int clientWorkerThreads=4 clientCallbackExecutorThreads=? clientOnewaySemaphoreValue=65535
        int clientAsyncSemaphoreValue=65535 clientSocketSndBufSize=0 clientSocketRcvBufSize=0
        boolean clientPooledByteBufAllocatorEnable=false disableCallbackExecutor=false
        boolean disableNettyWorkerGroup=false clientCloseSocketIfTimeout=true isScanAvailableNameSrv=true
        boolean enableReconnectForGoAway=true scanAvailableNameSrv=-
        long channelNotActiveInterval=60000 maxReconnectIntervalTimeSeconds=60
        String socksProxyConfig={}
        """),
    Group("client", "Outgoing connections are not encrypted.", "boolean useTLS=false",
          refused="name servers and masters are spoken to without encryption"),
    Group("store", "Consume queues and indexes are files; there is no RocksDB.", """
        boolean timerRocksDBEnable=false timerRocksDBStopScan=false timerRecallToTimeWheelEnable=true
        boolean timerRecallToTimelineEnable=true transRocksDBEnable=false transWriteOriginTransHalfEnable=true
        boolean indexRocksDBEnable=false realTimePersistRocksDBConfig=true enableRocksDBLog=false
        boolean rocksdbCQDoubleWriteEnable=false combineCQEnableCheckSelf=false enableAcceleratedRecovery=false
        int timerRocksDBRollIntervalHours=1 timerRocksDBRollRangeHours=2 maxRocksDBIndexQueryDays=7
        int combineCQMaxExtraSearchCommitLogFiles=3 rocksdbFlushWalFrequency=1024
        long timerRocksDBPrecisionMs=1000 cleanRocksDBDirtyCQIntervalMin=60 statRocksDBCQIntervalSec=10
        long memTableFlushIntervalMs=3600000 rocksdbWalFileRollingThreshold=1073741824
        double timerRocksDBRollMaxTps=8000.0 timerRocksDBTimeExpiredMaxTps=200000.0
        String combineCQLoadingCQTypes=default;defaultRocksDB combineCQPreferCQType=default
        String combineAssignOffsetCQType=default bottomMostCompressionTypeForConsumeQueueStore=zstd
        String rocksdbCompressionType=lz4
        """),
    Group("store", "Consume queues and indexes are files.", "String storeType=default",
          refused="this store keeps its queues in files and cannot open one that RocksDB keeps"),
    Group("store", "There is no DLedger.", "boolean enableDLegerCommitLog=false",
          refused="there is no DLedger, so that the commit log would not be replicated"),
    Group("store", "There is no DLedger.", """
        String storePathDLedgerCommitLog=- dLegerGroup=- dLegerPeers=- dLegerSelfId=- preferredLeaderId=-
        boolean enableBatchPush=false
        """),
    Group("store", "There is no controller.", """
        String storePathEpochFile=- storePathBrokerIdentity=-
        boolean allAckInSyncStateSet=false enableAutoInSyncReplicas=false syncFromLastFile=false
        boolean asyncLearner=false syncMasterFlushOffsetWhenStartup=false
        long haMaxTimeSlaveNotCatchup=15000 maxChecksumRange=1073741824 maxSlaveResendLength=268435456
        """),
    Group("store", "The place follows from storePathRootDir.", """
        String storePathConsumeQueue=- storePathIndex=- storeCheckpoint=- abortFile=-
        """),
    Group("store", "The commit log lies in one directory, on one disk.", """
        String readOnlyCommitLogStorePaths=-
        int replicasPerDiskPartition=1
        double logicalDiskSpaceCleanForciblyThreshold=0.8
        """),
    Group("store", "Topics are not compacted.", """
        int compactionMappedFileSize=104857600 compactionCqMappedFileSize=10485760
        int compactionScheduleInternal=900000 maxOffsetMapSize=104857600 compactionThreadNum=6
        boolean enableCompaction=true
        """),
    Group("store", "The timer's work is done by one thread, in slices, and tried again until it succeeds.", """
        int timerGetMessageThreadNum=3 timerPutMessageThreadNum=3 timerMetricSmallThreshold=1000000
        int timerProgressLogIntervalMs=10000 timerWheelSnapshotIntervalMs=10000 timerColdDataCheckIntervalMs=60000
        int disappearTimeAfterStart=-1
        boolean timerEnableDisruptor=false timerEnableCheckMetrics=true timerInterceptDelayLevel=false
        boolean timerWheelSnapshotFlush=false timerSkipUnknownError=false timerWarmEnable=false
        boolean timerEnableRetryUntilSuccess=false
        String timerCheckMetricsWhen=05
        """),
    Group("store", "A delayed message is delivered when its time comes, after the one before it.", """
        boolean enableScheduleMessageStats=true enableScheduleAsyncDeliver=false
        int scheduleAsyncDeliverMaxPendingLimit=2000 scheduleAsyncDeliverMaxResendNum2Blocked=3
        """),
    Group("store", "A topic name longer than 127 bytes is always stored in the second record format.",
          "boolean autoMessageVersionOnTopicLen=true"),
    Group("store", "An append is over at once, but for the disk of SYNC_FLUSH, which has syncFlushTimeout.", """
        int putMessageTimeout=8000
        long osPageCacheBusyTimeOutMills=1000
        """),
    Group("store", "The pause between two flushes is always kept.", "boolean flushCommitLogTimed=true"),
    Group("store", "Consume queues are brought to the disk together with log and index, about every ten seconds.", """
        int flushIntervalConsumeQueue=1000 flushConsumeQueueLeastPages=2 flushConsumeQueueThoroughInterval=60000
        """),
    Group("store", "Index files are written and read unless messageIndexEnable is false.",
          "boolean indexFileWriteEnable=true indexFileReadEnable=true"),
    Group("store", "Files of queues and index are deleted in one go.", "int deleteConsumeQueueFilesInterval=100"),
    Group("store", "A queue has no extension file and a message is in one queue only.", """
        boolean enableConsumeQueueExt=false enableLmq=false enableMultiDispatch=false searchBcqByCacheEnable=true
        int mappedFileSizeConsumeQueueExt=50331648 mapperFileSizeBatchConsumeQueue=13800000
        int bitMapLengthConsumeQueueExt=112 maxLmqConsumeQueueNum=20000
        """),
    Group("store", "Recovery goes back to the checkpoint.", """
        int commitLogRecoverMaxNum=10 maxRecoveryCommitlogFiles=30
        boolean enableLogConsumeQueueRepeatedlyBuildWhenRecover=false recheckReputOffsetFromCq=false
        """),
    Group("store", "Messages are written straight into the mapped file.", """
        boolean transientStorePoolEnable=false fastFailIfNoBufferInStorePool=false writeWithoutMmap=false
        boolean warmMapedFileEnable=false wakeCommitWhenPutMessage=true wakeFlushWhenPutMessage=false
        boolean mappedFileSwapEnable=true putConsumeQueueDataByFileChannel=true enableRunningFlagsInFlush=false
        int transientStorePoolSize=5 commitIntervalCommitLog=200 commitCommitLogLeastPages=4
        int commitCommitLogThoroughInterval=200 flushLeastPagesWhenWarmMapedFile=4096
        int commitLogSwapMapReserveFileNum=100 logicQueueSwapMapReserveFileNum=20 sharedByteBufferNum=16
        long commitLogForceSwapMapInterval=43200000 commitLogSwapMapInterval=3600000
        long logicQueueForceSwapMapInterval=43200000 logicQueueSwapMapInterval=3600000
        long cleanSwapedMapInterval=300000
        """),
    Group("store", "One thread writes and dispatches, without locks.", """
        boolean useReentrantLockWhenPutMessage=true debugLockEnable=false useABSLock=false
        boolean enableAsyncReput=true dispatchFromSenderThread=false enableBuildConsumeQueueConcurrently=false
        boolean duplicationEnable=false readUnCommitted=false
        int topicQueueLockNum=32 spinLockCollisionRetreatOptimalDegree=1000 maxAsyncPutMessageRequests=5000
        int dispatchCqThreads=10 dispatchCqCacheNum=4096 batchDispatchRequestThreadPoolNums=16
        """),
    Group("store", "Cold data is read like any other.", """
        boolean coldDataFlowControlEnable=false coldDataScanEnable=false dataReadAheadEnable=true
        int sampleSteps=32 accessMessageInMemoryHotRatio=26
        """),
    Group("store", "It counts only with a controller, or where a slave stands in for its master.",
          "int totalReplicas=1 minInSyncReplicas=1"),
    Group("store", "A tuning of Apache's store without a counterpart here.", """
        boolean messageIndexSafe=false diskFallRecorded=true enableCleanExpiredOffset=false
        boolean enabledAppendPropCRC=false forceVerifyPropCRC=false
        int destroyMapedFileIntervalForcibly=120000 redeleteHangedFileInterval=120000
        int putMsgIndexHightWater=600000 maxBatchDeleteFilesNum=50 maxTopicLength=127
        int travelCqFileNumWhenGetMessage=1 correctLogicMinOffsetSleepInterval=1
        int correctLogicMinOffsetForceInterval=300000 pullBatchMaxMessageCount=160 maxConsumeQueueScan=20000
        int sampleCountThreshold=5000
        """),
)  # fmt: skip


_IMPORTANT = """
    recoverConcurrently fetchNameSrvAddrByDnsLookup fetchNamesrvAddrByAddressServer
    storePathDLedgerCommitLog storePathEpochFile
    storePathBrokerIdentity disappearTimeAfterStart storeType commitIntervalCommitLog flushCommitLogTimed
    messageIndexSafe transientStorePoolEnable writeWithoutMmap enableRunningFlagsInFlush
    dispatchFromSenderThread wakeCommitWhenPutMessage wakeFlushWhenPutMessage enableCleanExpiredOffset totalReplicas
    minInSyncReplicas allAckInSyncStateSet enableAutoInSyncReplicas
    """
"""Those of the keys that `mqbroker -m` shows (Apache's ImportantField)."""


def threads_by_processors(key: str, processors: int) -> int:
    """Apache's default of a thread count (BrokerConfig, NettyClientConfig)."""
    few = min(processors, 4)
    return {
        "sendMessageThreadPoolNums": few,
        "putMessageFutureThreadPoolNums": few,
        "queryMessageThreadPoolNums": 8 + processors,
        "heartbeatThreadPoolNums": min(processors, 32),
        "endTransactionThreadPoolNums": max(8 + processors * 2, few * 4),
        "clientCallbackExecutorThreads": processors,
    }.get(key, 16 + processors * 2)


@functools.cache
def ignored_options(section: str) -> tuple[Option, ...]:
    """The keys of a section that are accepted and have no effect."""
    found = []
    for group in GROUPS:
        if group.section != section:
            continue
        for line in group.rows.split("\n"):
            java_type, *entries = line.split() or [""]
            found += [_option(group, java_type, *entry.split("=", 1)) for entry in entries]
    return tuple(found)


def _option(group: Group, java_type: str, key: str, default: str) -> Option:
    kind, bits = _TYPES[java_type]
    bare = Option(name="", key=key, kind=kind, bits=bits, default=None, help=group.reason)
    value: Value
    shown = None
    if default == "?":
        value, shown = threads_by_processors(key, os.cpu_count() or 1), "by number of processors"
    elif default == "$":
        value, shown = rocketmq_home, "$ROCKETMQ_HOME"
    else:
        value = None if default == "-" else bare.parse(default)
    return Option(
        name="", key=key, kind=kind, bits=bits, default=value, help=group.reason, shown=shown,
        important=key in _IMPORTANT.split(), optional=value is None or callable(value), refused=group.refused,
        quiet=group.quiet,
    )  # fmt: skip
