"""Names nobody may take, because they are or may become the first part of an address."""

from __future__ import annotations

from typing import Final

_DIALECTS: Final = """
    api v1 v2 openapi oauth xet cas lfs git info objects resolve raw blob tree commit commits
    blame refs reconstruction reconstructions chunk chunks xorb xorbs shard shards get_xorb
    telemetry healthz readyz health ready metrics livez mcp sse ws socket graphql rest rpc
    webhook webhooks scim saml oidc sso auth callback well-known acme-challenge favicon robots
    sitemap manifest service-worker static assets files media avatars uploads upload download
    downloads legacy registry simple gradio gradio_api proxy embed iframe ollama anthropic
    openai modelscope huggingface hf
"""
_HUB: Final = """
    models model datasets dataset spaces space kernels kernel buckets bucket collections
    collection papers paper posts post jobs job repos repo new create import imports mirror
    mirrors upstream upstreams bundle bundles search explore trending recent tags tasks task
    licences licenses languages libraries lineage compare pulls pull discussions discussion
    issues likes activity history revisions archive
"""
_PEOPLE: Final = """
    login logout join signup signin signout sign-in sign-out sign-up set-up setup password
    passwords invite invitation invitations reset verify confirm device devices activate
    account accounts profile profiles settings preferences tokens token keys key sessions
    session people person users user orgs org organization organizations organisation
    organisations teams team members member groups group followers following notifications
    inbox messages admin admins administration administrator root system staff moderator
    moderators operator operators me self you nobody anonymous everyone public private null
    undefined none true false all any default
"""
_SERVING: Final = """
    playground chat completions embeddings inference endpoints endpoint deployments deployment
    engines engine providers provider serving maas usage budgets budget limits quota quotas
    billing pricing plans prices
"""
_SPACES: Final = """
    apps app agents agent workspace workspaces sandbox sandboxes runtime logs hardware
    scheduled-jobs
"""
_PROGRAMMES: Final = """
    wallet wallets vouchers voucher programmes programme programs program claims claim ledger
    accounting audit audits contribution contributions score scores tiers credentials
    credential badges badge redeem rewards reward merit feedback observatory districts district
    reports report transparency log
"""
_SCENARIOS: Final = """
    scenarios scenario opportunities opportunity capabilities calls call bids bid contracts
    contract milestones challenges challenge hackathons hackathon leaderboards leaderboard
    competitions competition submissions submission matching matches partners partner talent
    talents careers
"""
_COMMUNITY: Final = """
    learn learning courses course paths path study study-groups checkins check-in tools tool
    reviews review venue venues desks desk bookings booking events event roadshows roadshow
    calendar kiosk screens screen feed feeds rss atom community forum forums blog news
    industries industry textile brands drones sensors
"""
_HOUSE: Final = """
    about help docs doc documentation guide guides support contact terms privacy legal policy
    policies security abuse takedown status changelog release releases press jobs-board home
    index welcome start tour language locale theme error errors jishi www mail ftp localhost
    test example demo official
"""

_GROUPS: Final = (
    *(_DIALECTS, _HUB, _PEOPLE, _SERVING, _SPACES),
    *(_PROGRAMMES, _SCENARIOS, _COMMUNITY, _HOUSE),
)
RESERVED: Final = frozenset(name for group in _GROUPS for name in group.split())
"""Lower case.  First parts of every page and dialect of all parts of the product, those to
come included: a name that is given away cannot be taken back when its page arrives."""
