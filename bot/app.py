"""The composition root: settings in, a running service out. The only place that knows every part."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession, TCPConnector
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.monitoring import CommandListener
from telegram import Bot

from bot.channels import telegram, whatsapp
from bot.channels.terminal import TerminalChannel
from bot.channels.webchat import WebChannel
from bot.clients.copies import ChildCopies
from bot.clients.gallery import Gallery
from bot.clients.nlu import RasaNlu
from bot.clients.packets import Packets
from bot.clients.printer import Printer
from bot.clients.reader import open_reader
from bot.clients.sheets import Sheets
from bot.clients.speech import Speech
from bot.clients.transcriber import open_transcriber
from bot.clients.translator import GoogleTranslate
from bot.config import Config
from bot.content.load import load as load_content
from bot.content.model import Content
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.safety import Guard
from bot.domain.attending import Patience
from bot.domain.canary import ADDRESS as CANARY_ADDRESS
from bot.domain.contact import read_templates
from bot.domain.messages import ChannelName
from bot.domain.pace import paces, per_minute
from bot.domain.retention import Terms
from bot.group import ResponderGroup
from bot.pagers import make_officer, make_pagers
from bot.ports import PHONES_UNSIGNED, Channel, Fetch, Pager, Stamp, Translator, Understander
from bot.recruiters.names import Lexicon
from bot.recruiters.offers import Offers
from bot.service.attend import Attendance
from bot.service.breaches import BreachNotices
from bot.service.canary import Canary
from bot.service.copies import Copier
from bot.service.custody import Custody, Shelves
from bot.service.early import EarlyPages
from bot.service.first import First
from bot.service.follow import Follower
from bot.service.forget import Forgetter
from bot.service.hiding import Hiding
from bot.service.history import Histories, Limits
from bot.service.imports import Imports
from bot.service.interpret import Interpreter
from bot.service.intruders import Intruders
from bot.service.lessons import Teacher
from bot.service.listen import Listener
from bot.service.lists import Recruiters
from bot.service.merge import Merging
from bot.service.newcomers import Door
from bot.service.notices import Notes
from bot.service.oncall import OnCall
from bot.service.operator import Operator
from bot.service.people import People
from bot.service.phones import hold_phones
from bot.service.places import Places
from bot.service.platform import PlatformNews
from bot.service.publish import Wording
from bot.service.reads import Reads
from bot.service.receive import Receiver
from bot.service.refer import Referrals
from bot.service.respond import Respond
from bot.service.retention import Keeping
from bot.service.shifts import Shifts
from bot.service.slips import SlipDesk
from bot.service.tasks import Tasks
from bot.service.watch import (
    ListWatch,
    Watch,
)
from bot.service.window import Window
from bot.store import mongo
from bot.store.agencies import MongoAgencies
from bot.store.alerts import MongoAlerts
from bot.store.approvals import MongoApprovals
from bot.store.aside import AsideFiles
from bot.store.attachments import MongoAttachments
from bot.store.attending import Attending
from bot.store.audit import HISTORIES_SIGNED, MongoAudit
from bot.store.breaches import MongoBreaches
from bot.store.canaries import MongoCanaries
from bot.store.cases import MongoCases
from bot.store.clock import SteadyClock
from bot.store.contacts import MongoContacts
from bot.store.conversations import MongoConversations
from bot.store.follow_ups import MongoFollowUps
from bot.store.handovers import MongoHandovers
from bot.store.health import MongoHealth
from bot.store.held import MongoHeldBack
from bot.store.history import Writer
from bot.store.inbox import MongoInbox
from bot.store.index_files import IndexFiles
from bot.store.ladder import Ladder
from bot.store.leases import MongoLeases
from bot.store.lessons import MongoLessons
from bot.store.media import MongoMedia
from bot.store.merges import MongoMerges
from bot.store.moves import MongoMoves
from bot.store.newcomers import MongoNewcomers
from bot.store.notices import MongoNotices
from bot.store.organisations import MongoOrganisations
from bot.store.outbox import MongoOutbox
from bot.store.passkeys import MongoPasskeys
from bot.store.phones import MongoPhones
from bot.store.places import MongoPlaces
from bot.store.quarantine import MongoQuarantine
from bot.store.reports import MongoReports
from bot.store.responders import MongoResponders, MongoSessions
from bot.store.retention import MongoRetention
from bot.store.rota import MongoRota
from bot.store.sealed import Sealer, load_key, load_keys
from bot.store.slips import MongoSlips
from bot.store.spool import FileSpool
from bot.store.standings import MongoStandings
from bot.store.steps import Steps
from bot.store.tasks import MongoTasks
from bot.store.traces import MongoTraces
from bot.store.wording import MongoWording

log = logging.getLogger(__name__)
Doc = dict[str, Any]


def utc_now() -> datetime:
    """Return the time: the one place where the service reads the clock."""
    return datetime.now(UTC)  # noqa: TID251 - handed to everything else


@dataclass
class Service:
    """Everything that runs, by name, for the routes, the command line and the tests."""

    config: Config
    wording: Wording
    wording_store: MongoWording
    db: AsyncDatabase[Doc]
    sealer: Sealer
    inbox: MongoInbox
    outbox: MongoOutbox
    conversations: MongoConversations
    cases: MongoCases
    alerts: MongoAlerts
    agencies: MongoAgencies
    audit: MongoAudit
    responders: MongoResponders
    sessions: MongoSessions
    organisations: MongoOrganisations
    passkeys: MongoPasskeys
    people: People
    quarantine: MongoQuarantine
    leases: MongoLeases
    spool: FileSpool
    recruiters: Recruiters
    reports: MongoReports
    histories: Histories
    receiver: Receiver
    respond: Respond
    task_store: MongoTasks
    tasks: Tasks
    referrals: Referrals
    handovers: MongoHandovers
    watch: Watch
    attendance: Attendance
    shifts: Shifts
    early: EarlyPages
    hiding: Hiding
    steady: SteadyClock
    rotas: MongoRota
    oncall: OnCall
    group: ResponderGroup
    canary: Canary
    list_watch: ListWatch
    imports: Imports
    places: Places
    printer: Printer
    forgetter: Forgetter
    follower: Follower
    teacher: Teacher
    notes: Notes
    breaches: BreachNotices
    window: Window
    operator: Operator
    intruders: Intruders
    standings: MongoStandings
    platform_news: PlatformNews
    web: WebChannel
    terminal: TerminalChannel
    nlu: Understander
    speech: Speech
    gallery: Gallery
    media: MongoMedia
    attachments: MongoAttachments
    copier: Copier
    approvals: MongoApprovals
    custody: Custody
    reads: Reads
    listener: Listener
    door: Door
    slips: SlipDesk
    keeping: Keeping
    health: MongoHealth
    translator: Translator | None
    merges: MongoMerges
    merging: Merging
    first: First
    interpreter: Interpreter
    http: ClientSession
    bot: Bot | None
    knowledge: Callable[[], Knowledge]
    now: Callable[[], datetime]
    wake_answers: asyncio.Event = field(default_factory=asyncio.Event)
    wake_delivery: asyncio.Event = field(default_factory=asyncio.Event)
    wake_console: asyncio.Event = field(default_factory=asyncio.Event)
    wake_fetching: asyncio.Event = field(default_factory=asyncio.Event)
    wake_paging: asyncio.Event = field(default_factory=asyncio.Event)
    channels: dict[ChannelName, Channel] = field(default_factory=dict)
    pagers: dict[str, Pager] = field(default_factory=dict)
    reachable: Callable[[], AbstractAsyncContextManager[None]] = mongo.reachable
    owner: str = ""

    @property
    def content(self) -> Content:
        """The words in force now."""
        return self.wording.content


@asynccontextmanager
async def open_service(
    config: Config,
    *,
    mongodb_uri: str,
    nlu_url: str,
    listeners: Sequence[CommandListener] = (),
    now: Callable[[], datetime] = utc_now,
    with_lists: bool = True,
) -> AsyncIterator[Service]:
    """Connect and build everything; nothing runs yet (see `running`).

    *with_lists*: load the lists of recruiters into memory, which takes a while when they are long.
    """
    content = load_content(config.content)
    master, index_key = load_keys(config.data / "keys")
    async with AsyncExitStack() as stack:
        client = mongo.connect(mongodb_uri, listeners)
        stack.push_async_callback(client.close)
        http = await stack.enter_async_context(ClientSession(connector=TCPConnector(limit=64)))
        db = mongo.database(client, config.mongodb_name)
        sealer = Sealer(client, config.mongodb_name, master, index_key)
        stack.push_async_callback(sealer.close)
        await mongo.prepare(db)
        await sealer.prepare()
        content, unsigned = await hold_phones(content, MongoPhones(db, sealer))
        service = await _build(config, content, client, db, sealer, http, nlu_url, now, stack)
        if unsigned:
            await service.operator.today(PHONES_UNSIGNED, "all", {"count": str(len(unsigned))})
        if await service.cases.prepare():
            await service.audit.record(Stamp("audit", HISTORIES_SIGNED), now())
        await service.agencies.prepare()
        await service.places.refresh()
        if with_lists:
            await service.recruiters.refresh()
        yield service


async def _build(  # noqa: PLR0913, PLR0915 - the composition root
    config: Config,
    content: Content,
    client: AsyncMongoClient[Doc],
    db: AsyncDatabase[Doc],
    sealer: Sealer,
    http: ClientSession,
    nlu_url: str,
    now: Callable[[], datetime],
    stack: AsyncExitStack,
) -> Service:
    wake_answers, wake_delivery, wake_console = asyncio.Event(), asyncio.Event(), asyncio.Event()
    wake_paging, wake_fetching = asyncio.Event(), asyncio.Event()

    def committed() -> None:
        wake_delivery.set()
        wake_paging.set()

    bot = await _telegram(config, stack)
    web_channel, terminal = WebChannel(), TerminalChannel()
    channels: dict[ChannelName, Channel] = {ChannelName.WEB: web_channel, ChannelName.TERMINAL: terminal}
    wording_store = MongoWording(db)
    wording = Wording(content, wording_store, now)
    await wording.refresh()
    speech = Speech(config.data / "speech", config.content / "audio", lambda: wording.content)
    stack.callback(speech.close)
    gallery = Gallery(config.content)
    fetchers: dict[ChannelName, Fetch] = {}
    if bot:
        channels[ChannelName.TELEGRAM] = on_telegram = telegram.TelegramChannel(bot, speech, pictures=gallery)
        fetchers[ChannelName.TELEGRAM] = on_telegram.fetch
    if config.whatsapp_token.get_secret_value():
        token = config.whatsapp_token.get_secret_value()
        channels[ChannelName.WHATSAPP] = on_whatsapp = whatsapp.WhatsAppChannel(
            http, config.whatsapp_api_url, token, config.whatsapp_phone_id, speech, _proof(config), gallery
        )
        fetchers[ChannelName.WHATSAPP] = on_whatsapp.fetch
    media = MongoMedia(db, sealer)
    translator = GoogleTranslate(time.monotonic) if config.translate else None
    rotas = MongoRota(db, sealer)
    oncall = OnCall(rotas, now)
    await oncall.refresh()
    responders = MongoResponders(db, sealer)
    group = ResponderGroup(config, db, sealer, responders, lambda: wording.content, now)
    await group.place.refresh()
    pagers = make_pagers(config, lambda: wording.content, bot, http, wake_console, oncall, group)
    officer = make_officer(config, lambda: wording.content)
    steady = SteadyClock(db, now)
    await steady.follow()
    ladder = Ladder(config.rungs, steady, config.page_again)
    steps = Steps(ladder, Attending(Patience.read(config.owner_clock), steady))
    writer = Writer(db, sealer, tuple(pagers), oncall.addressed)
    inbox = MongoInbox(db, sealer, config.spool_after)
    outbox = MongoOutbox(db, sealer, frozenset(channels))
    cases = MongoCases(client, db, sealer, writer, steps)
    merges = MongoMerges(client, db, writer, ladder)
    respond = Respond(cases, merges, lambda: wording.content, now, committed)
    task_store = MongoTasks(client, db, sealer, writer)
    alerts = MongoAlerts(db, config.spool_after)
    operator = Operator(alerts, tuple(pagers), now)
    agencies = MongoAgencies(db)
    lexicon = Lexicon(content.firm_words)
    recruiters = Recruiters(agencies, lexicon, IndexFiles(config.data / "index"), now)
    audit = MongoAudit(db, sealer.derived_key("audit"))
    follow_ups = MongoFollowUps(client, db, sealer, writer, frozenset(channels))
    reports = MongoReports(client, db, sealer)
    conversations = MongoConversations(client, db, sealer, writer, ladder, reports)
    learners = MongoLessons(client, db, conversations, frozenset(channels))
    notices = MongoNotices(client, db, conversations, frozenset(channels))
    histories = _histories(config, content, reports, now)
    await histories.refresh()
    guard, offers = Guard(content.danger), Offers(content.red_flags)
    places = Places(MongoPlaces(db), audit, content, load_key(config.data / "keys" / "posters.key"), now)
    spool = FileSpool(config.data / "spool", sealer.derived_key("spool"))
    attachments = MongoAttachments(client, db, sealer, media, writer)
    approvals = MongoApprovals(client, db, sealer, Writer(db, sealer, tuple(officer or pagers)))
    shelves = Shelves(cases, media, attachments, approvals, MongoContacts(db, sealer), audit)
    templates = read_templates(config.whatsapp_templates)
    first = First(cases, approvals, audit, lambda: wording.content, now, committed, templates)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    organisations = MongoOrganisations(db)

    def knowledge() -> Knowledge:
        return Knowledge(
            wording.content,
            guard,
            recruiters.check,
            recruiters.lists,
            places.gazetteer,
            offers,
            lexicon,
            may_translate=config.translate,
            reported=histories.reported,
            directory=places.directory,
        )

    standings = MongoStandings(db)
    hiding = Hiding(inbox, alerts, channels, knowledge, time.monotonic)
    early = EarlyPages(inbox, alerts, pagers, knowledge, time.monotonic, oncall.addressed, hiding)
    receiver = Receiver(inbox, outbox, spool, wake_answers.set, early)
    watch = Watch(
        cases, alerts, {**pagers, **officer}, lambda: wording.content, now, committed, owner, merges, len(config.rungs)
    )
    if bot and config.telegram_responders_chat:
        group.join(bot, cases, respond, first, watch, alerts, audit, tuple(pagers), wake_console.set, owner)
    return Service(
        config=config,
        wording=wording,
        wording_store=wording_store,
        db=db,
        sealer=sealer,
        inbox=inbox,
        outbox=outbox,
        conversations=conversations,
        cases=cases,
        alerts=alerts,
        agencies=agencies,
        audit=audit,
        responders=responders,
        sessions=MongoSessions(db, sealer),
        organisations=organisations,
        passkeys=MongoPasskeys(db),
        people=People(cases, responders, organisations, respond, now),
        quarantine=MongoQuarantine(
            db, sealer, AsideFiles(config.data / "aside", sealer.derived_key("aside")), config.spool_after
        ),
        leases=MongoLeases(db, sealer, owner),
        spool=spool,
        recruiters=recruiters,
        reports=reports,
        histories=histories,
        receiver=receiver,
        respond=respond,
        merges=merges,
        merging=Merging(merges, respond, now, committed),
        first=first,
        interpreter=Interpreter(_case_translator(config, content)),
        task_store=task_store,
        tasks=Tasks(task_store, now),
        referrals=Referrals(cases, Packets(), now),
        handovers=MongoHandovers(db, sealer),
        watch=watch,
        attendance=Attendance(cases, respond, oncall, now, committed),
        shifts=Shifts(cases, alerts, rotas, oncall, tuple(pagers), now, committed),
        early=early,
        hiding=hiding,
        steady=steady,
        rotas=rotas,
        oncall=oncall,
        group=group,
        canary=Canary(MongoCanaries(db, inbox.conversation_id(CANARY_ADDRESS)), receiver.receive, pagers, now),
        list_watch=ListWatch(agencies, alerts, tuple(pagers), now),
        imports=Imports(agencies, audit, now, config.lists_kept),
        places=places,
        printer=Printer(config.content / "pictograms"),
        forgetter=Forgetter(MongoTraces(db, sealer, frozenset(channels)), channels, now),
        follower=Follower(
            follow_ups, lambda: wording.content, now, wake_delivery.set, can_greet=bool(config.whatsapp_template)
        ),
        window=Window(MongoHeldBack(db, sealer, writer), config.whatsapp_template, now),
        operator=operator,
        intruders=Intruders(operator, audit, lambda login: sealer.blind("intruder", login), now),
        standings=standings,
        platform_news=PlatformNews(
            ChannelName.WHATSAPP, outbox, MongoMoves(db, sealer, writer), operator, now, standings
        ),
        notes=Notes(
            notices, lambda: wording.content, lambda: places.directory.points, _speeds(config), now, wake_delivery.set
        ),
        breaches=BreachNotices(
            MongoBreaches(client, db, conversations, frozenset(channels), inbox.conversation_id(CANARY_ADDRESS)),
            cases,
            lambda: wording.content,
            _speeds(config),
            now,
            wake_delivery.set,
        ),
        teacher=Teacher(learners, lambda: wording.content, now, wake_delivery.set),
        web=web_channel,
        terminal=terminal,
        speech=speech,
        gallery=gallery,
        media=media,
        attachments=attachments,
        copier=Copier(attachments, ChildCopies(), now),
        approvals=approvals,
        custody=Custody(shelves, now),
        reads=Reads(audit, alerts, tuple(officer or pagers), config.cases_read, now),
        listener=_listener(config, media, fetchers, now, wake_fetching.set),
        health=MongoHealth(db),
        door=Door(MongoNewcomers(db, per_minute(config.newcomers)), operator, now),
        slips=SlipDesk(MongoSlips(db, sealer)),
        keeping=Keeping(MongoRetention(db, _terms(config)), cases, audit, now),
        translator=translator,
        nlu=RasaNlu(http, nlu_url, token=config.nlu_token.get_secret_value(), intents=None),
        http=http,
        bot=bot,
        knowledge=knowledge,
        now=now,
        wake_answers=wake_answers,
        wake_delivery=wake_delivery,
        wake_paging=wake_paging,
        wake_fetching=wake_fetching,
        wake_console=wake_console,
        channels=channels,
        pagers=pagers,
        owner=owner,
    )


def _terms(config: Config) -> Terms:
    return Terms(timedelta(days=config.chat_days), timedelta(days=config.case_days))


def _speeds(config: Config) -> dict[ChannelName, float]:
    """Return how many messages a second each paced channel takes."""
    limits = paces(config.telegram_per_second, config.whatsapp_per_second)
    return {channel: 1000 / pace.account.every_ms for channel, pace in limits.items()}


def _listener(
    config: Config,
    media: MongoMedia,
    fetchers: dict[ChannelName, Fetch],
    now: Callable[[], datetime],
    woken: Callable[[], None],
) -> Listener:
    """Pictures take at most half the workers, and one core each: somebody in danger must find a worker free."""
    looking = max(config.workers // 2, 1)
    reader = open_reader(config.read_images, min(len(os.sched_getaffinity(0)), looking))
    return Listener(media, fetchers, open_transcriber(config.speech_model), now, reader, looking, config.quotas, woken)


def _proof(config: Config) -> str:
    secret = config.whatsapp_app_secret.get_secret_value()
    return whatsapp.proof_of(config.whatsapp_token.get_secret_value(), secret) if config.whatsapp_prove else ""


def _case_translator(config: Config, content: Content) -> Translator | None:
    """A machine of its own for words of a case: nothing of them stays in memory, and its breaker is its own."""
    if not config.translate_cases:
        return None
    names = {line.fact.source.rpartition(", ")[2] for line in content.helplines.values()}
    return GoogleTranslate(time.monotonic, names=sorted(names), most_cached=0)


def _histories(config: Config, content: Content, reports: MongoReports, now: Callable[[], datetime]) -> Histories:
    limits = Limits(config.reports_needed, config.most_shared, config.report_days)
    facts = [fact for topic in content.topics.values() for fact in topic.facts]
    facts += [line.fact for line in content.helplines.values()]
    official = sorted({line.number for line in content.helplines.values()} | {fact.url for fact in facts})
    return Histories(reports, Sheets(), lambda: official, limits, now)


async def _telegram(config: Config, stack: AsyncExitStack) -> Bot | None:
    token = config.telegram_token.get_secret_value()
    if not token:
        return None
    bot = telegram.make_bot(token, config.telegram_api_url)
    await telegram.open_requests(bot)
    stack.push_async_callback(telegram.close_requests, bot)
    return bot
