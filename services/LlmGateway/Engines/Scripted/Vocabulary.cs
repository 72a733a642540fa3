using System.Text.RegularExpressions;

namespace Assay.LlmGateway.Engines.Scripted;

/// <summary>A brand of a topic: what the simulator can name, recommend and link.</summary>
internal sealed record KnownBrand(string Name, IReadOnlyList<string> Models, string Domain);

/// <summary>A market the simulator knows: the first brands are the best known.</summary>
internal sealed record Topic(string Name, IReadOnlyList<KnownBrand> Brands, IReadOnlyList<string> Features, IReadOnlyList<string> Uses);

/// <summary>What the simulator knows about markets. Real names, invented judgements: its answers are labelled simulated wherever they appear.</summary>
internal static partial class Vocabulary
{
    sealed record Entry(string Keywords, Topic Topic);

    static Entry Of(string name, string keywords, string brands, string features, string uses) => new(keywords, new Topic(name,
        [.. Parts(brands, ';').Select(brand => brand.Split(':')).Select(brand => new KnownBrand(brand[0], brand[2].Length == 0 ? [] : Parts(brand[2], '/'), brand[1]))],
        Parts(features, ','), Parts(uses, ',')));

    static string[] Parts(string text, char separator) => text.Split(separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    // name, keywords (the longest that is found decides), brands as Name:domain:Model/Model, features, uses
    static readonly Entry[] Entries =
    [
        Of("earbuds", "in-ear-kopfhörer|ohrhörer|écouteurs|auriculares inalámbricos|earbud|earbuds|in-ear|earphone|earphones|true wireless|airpods",
            "Apple:apple.com:AirPods Pro 2/AirPods 4; Sony:sony.com:WF-1000XM5/LinkBuds S; Bose:bose.com:QuietComfort Ultra Earbuds; Soundcore:soundcore.com:Liberty 4 NC/Space A40; Samsung:samsung.com:Galaxy Buds3 Pro; JBL:jbl.com:Live Beam 3/Endurance Peak 3; Jabra:jabra.com:Elite 8 Active; Beats:beatsbydre.com:Powerbeats Pro 2/Studio Buds+; Sennheiser:sennheiser.com:Momentum True Wireless 4; Google:google.com:Pixel Buds Pro 2; Nothing:nothing.tech:Ear (a); Anker:anker.com:Soundcore Liberty 4; Technics:technics.com:EAH-AZ80; Shokz:shokz.com:OpenFit 2",
            "noise cancelling,battery life,secure fit,sweat resistance,call quality,sound quality,multipoint pairing", "working out,running,commuting,phone calls,sleeping,travel,small ears,budget buyers"),
        Of("headphones", "kopfhörer|casque|auriculares|headphone|headphones|over-ear|headset|headsets|noise cancelling|noise-cancelling",
            "Sony:sony.com:WH-1000XM5/WH-1000XM4; Bose:bose.com:QuietComfort Ultra/QuietComfort; Apple:apple.com:AirPods Max; Sennheiser:sennheiser.com:Momentum 4; Soundcore:soundcore.com:Space One/Life Q30; JBL:jbl.com:Tour One M3/Tune 770NC; Beats:beatsbydre.com:Studio Pro; Audio-Technica:audio-technica.com:ATH-M50xBT2; Jabra:jabra.com:Evolve2 85; Anker:anker.com:Soundcore Space Q45; Bowers & Wilkins:bowerswilkins.com:Px7 S2e; 1MORE:1more.com:SonoFlow",
            "noise cancelling,comfort,battery life,sound quality,call quality,folding design,app equalizer", "long flights,office work,studying,gaming,travel,music lovers,budget buyers"),
        Of("chargers and power banks", "ladegerät|ladegeräte|netzteil|chargeur|chargeurs|batterie externe|cargador|cargadores|batería externa|charger|chargers|charging|power bank|power banks|powerbank|gan|magsafe|usb-c hub|wall charger|portable battery|charging station|cable",
            "Anker:anker.com:Prime 100W/Nano 65W/737 Power Bank/MagGo 10K; UGREEN:ugreen.com:Nexode 100W/Nexode 65W; Belkin:belkin.com:BoostCharge Pro; Baseus:baseus.com:GaN5 Pro/Blade 100W; Apple:apple.com:MagSafe Charger; Samsung:samsung.com:45W Travel Adapter; INIU:iniushop.com:B6; Mophie:zagg.com:Powerstation; Satechi:satechi.net:108W GaN; EcoFlow:ecoflow.com:Rapid Power Bank; Spigen:spigen.com:ArcStation Pro; RAVPower:ravpower.com:PD Pioneer",
            "fast charging,safety certifications,compact size,number of ports,build quality,heat management,USB-C Power Delivery", "travel,MacBook users,iPhone users,families,camping,airline limits,desk setups"),
        Of("Bluetooth speakers", "lautsprecher|enceinte|enceintes|altavoz|altavoces|speaker|speakers|soundbar|soundbars|boombox",
            "JBL:jbl.com:Flip 6/Charge 5/Xtreme 4; Bose:bose.com:SoundLink Flex; Sonos:sonos.com:Roam 2/Move 2; Ultimate Ears:ultimateears.com:Wonderboom 4/Boom 4; Soundcore:soundcore.com:Motion X600/Boom 2; Sony:sony.com:ULT Field 1; Marshall:marshall.com:Emberton III; Anker:anker.com:Soundcore 3; Bang & Olufsen:bang-olufsen.com:Beosound A1; Tribit:tribit.com:StormBox",
            "bass,battery life,waterproofing,portability,stereo pairing,clear vocals,durability", "the beach,parties,the shower,camping,small rooms,home theatre,budget buyers"),
        Of("smartphones", "handy|handys|téléphone|móvil|móviles|smartphone|smartphones|phone|phones|android phone|iphone|mobile phone",
            "Apple:apple.com:iPhone 16/iPhone 16e; Samsung:samsung.com:Galaxy S25/Galaxy A56; Google:google.com:Pixel 9a/Pixel 9; OnePlus:oneplus.com:13R/Nord 4; Motorola:motorola.com:Edge 60; Xiaomi:mi.com:15/Poco F7; Nothing:nothing.tech:Phone (3a); Sony:sony.com:Xperia 10; Honor:honor.com:400 Pro; Fairphone:fairphone.com:5",
            "camera quality,battery life,software updates,display quality,charging speed,performance,price", "photography,gaming,seniors,students,small hands,travel,budget buyers"),
        Of("laptops", "ordinateur portable|portátil|portátiles|laptop|laptops|notebook|notebooks|ultrabook|chromebook|macbook",
            "Apple:apple.com:MacBook Air M4/MacBook Pro 14; Dell:dell.com:XPS 13/Inspiron 14 Plus; Lenovo:lenovo.com:ThinkPad X1 Carbon/IdeaPad Slim 5/Legion 5; HP:hp.com:Spectre x360/Pavilion Plus; ASUS:asus.com:Zenbook 14 OLED/Vivobook S; Acer:acer.com:Swift Go 14/Aspire 5; Microsoft:microsoft.com:Surface Laptop 7; Framework:frame.work:Laptop 13; MSI:msi.com:Prestige 13; Razer:razer.com:Blade 14; LG:lg.com:gram 16; Samsung:samsung.com:Galaxy Book4",
            "battery life,keyboard comfort,display quality,performance,weight,build quality,repairability", "college students,programming,video editing,gaming,remote work,travel,small businesses"),
        Of("tablets", "tablet|tablets|ipad|e-reader|kindle",
            "Apple:apple.com:iPad Air/iPad 11; Samsung:samsung.com:Galaxy Tab S10/Galaxy Tab A9+; Amazon:amazon.com:Fire Max 11/Kindle Paperwhite; Lenovo:lenovo.com:Tab P12; Microsoft:microsoft.com:Surface Pro; OnePlus:oneplus.com:Pad 2; Google:google.com:Pixel Tablet; Kobo:kobo.com:Libra Colour; Xiaomi:mi.com:Pad 7; reMarkable:remarkable.com:Paper Pro",
            "display quality,stylus support,battery life,app selection,weight,parental controls", "drawing,note taking,kids,reading,streaming,students,travel"),
        Of("smartwatches", "laufuhr|sportuhr|montre connectée|reloj deportivo|smartwatch|smartwatches|smart watch|running watch|gps watch|fitness tracker|fitness band|sports watch",
            "Garmin:garmin.com:Forerunner 265/Fenix 8/Vivoactive 6; Apple:apple.com:Watch Series 10/Watch SE; COROS:coros.com:Pace 3/Pace Pro; Samsung:samsung.com:Galaxy Watch7; Polar:polar.com:Vantage V3/Pacer; Suunto:suunto.com:Race S; Fitbit:fitbit.com:Charge 6; Amazfit:amazfit.com:T-Rex 3/Balance; Google:google.com:Pixel Watch 3; Withings:withings.com:ScanWatch 2; Xiaomi:mi.com:Smart Band 9",
            "GPS accuracy,battery life,training metrics,heart rate accuracy,display quality,comfort,maps", "marathon training,swimming,hiking,sleep tracking,women,beginners,budget buyers"),
        Of("televisions", "fernseher|téléviseur|televisor|tv|tvs|television|televisions|oled|qled|projector|projectors",
            "LG:lg.com:C4 OLED/B4 OLED; Samsung:samsung.com:S90D/QN90D; Sony:sony.com:Bravia 8/Bravia 7; TCL:tcl.com:QM7/QM8; Hisense:hisense.com:U7N/U8N; Vizio:vizio.com:Quantum Pro; Philips:philips.com:OLED809; Panasonic:panasonic.com:Z95A; Roku:roku.com:Plus Series; Nebula:seenebula.com:Cosmos 4K; Epson:epson.com:Home Cinema 2350",
            "contrast,brightness,gaming features,viewing angles,smart platform,motion handling,value", "bright rooms,movies,sports,gaming,small rooms,wall mounting,budget buyers"),
        Of("monitors", "bildschirm|écran|monitor|monitors|display for work|ultrawide",
            "Dell:dell.com:UltraSharp U2724D/S2722QC; LG:lg.com:UltraGear 27GR95QE/27UP850; ASUS:asus.com:ProArt PA279CRV/ROG Swift; Samsung:samsung.com:Odyssey G8/ViewFinity S8; BenQ:benq.com:PD2706U/EW2880U; Acer:acer.com:Nitro XV272U; Gigabyte:gigabyte.com:M27U; AOC:aoc.com:Q27G3XMN; MSI:msi.com:MPG 271QRX; ViewSonic:viewsonic.com:VP2786",
            "colour accuracy,refresh rate,USB-C power,ergonomics,panel uniformity,text clarity", "programming,photo editing,gaming,home offices,MacBook users,dual setups"),
        Of("Wi-Fi routers", "router|routers|wifi|wi-fi|mesh|modem",
            "TP-Link:tp-link.com:Deco BE63/Archer AX55; ASUS:asus.com:RT-BE88U/ZenWiFi BT8; NETGEAR:netgear.com:Orbi 870/Nighthawk RS300; Eero:eero.com:Max 7/Pro 6E; Google:google.com:Nest Wifi Pro; Linksys:linksys.com:Velop Pro 7; Ubiquiti:ui.com:UniFi Express 7/Dream Router 7; Synology:synology.com:RT6600ax; AVM:avm.de:FRITZ!Box 5690; MikroTik:mikrotik.com:hAP ax3",
            "range,throughput,ease of setup,security updates,parental controls,wired backhaul", "large homes,gaming,apartments,home offices,smart homes,many devices"),
        Of("keyboards and mice", "keyboard|keyboards|mouse|mice|trackball|webcam|webcams",
            "Logitech:logitech.com:MX Master 3S/MX Keys S/Brio 500; Keychron:keychron.com:Q1/K2; Razer:razer.com:BlackWidow V4/Basilisk V3; Apple:apple.com:Magic Keyboard; Corsair:corsair.com:K70; Microsoft:microsoft.com:Sculpt Ergonomic; SteelSeries:steelseries.com:Apex Pro; Anker:anker.com:PowerConf C200; HyperX:hyperx.com:Alloy Origins; Kinesis:kinesis-ergo.com:Freestyle2",
            "ergonomics,build quality,battery life,switch feel,software,wireless stability", "programming,small hands,gaming,video calls,office work,travel"),
        Of("coffee machines", "kaffeemaschine|kaffeevollautomat|machine à café|cafetière|cafetera|cafeteras|coffee|espresso|coffee maker|coffee machine|espresso machine|grinder|coffee machines",
            "Breville:breville.com:Bambino Plus/Barista Express; De'Longhi:delonghi.com:Dedica Arte/Magnifica Evo; Gaggia:gaggia.com:Classic Evo Pro; Nespresso:nespresso.com:Vertuo Pop+/Essenza Mini; Jura:jura.com:E8/ENA 8; Philips:philips.com:3200 LatteGo/5500 LatteGo; Rancilio:ranciliogroup.com:Silvia; Lelit:lelit.com:Anna/MaraX; Ninja:ninjakitchen.com:Luxe Café; Technivorm:moccamaster.com:Moccamaster KBGV; Keurig:keurig.com:K-Supreme; Melitta:melitta.com:Caffeo Barista",
            "temperature stability,milk frothing,ease of cleaning,build quality,counter space,heat-up time", "beginners,small kitchens,latte lovers,offices,espresso enthusiasts,budget buyers"),
        Of("vacuum cleaners", "staubsauger|saugroboter|aspirateur|aspiradora|robot aspirador|vacuum|vacuums|vacuum cleaner|stick vacuum|cordless vacuum|robot vacuum|robot mop|robovac",
            "Dyson:dyson.com:V15 Detect/Gen5detect; Shark:sharkninja.com:Stratos Cordless/PowerDetect; Roborock:roborock.com:S8 MaxV Ultra/Qrevo; Eufy:eufy.com:X10 Pro Omni/E20; iRobot:irobot.com:Roomba Combo j9+; Ecovacs:ecovacs.com:Deebot X8; Miele:miele.com:Triflex HX2; Tineco:tineco.com:Pure One S15; Samsung:samsung.com:Bespoke Jet; Dreame:dreametech.com:X40 Ultra; Bissell:bissell.com:CrossWave; LG:lg.com:CordZero",
            "suction,battery life,pet hair pickup,weight,mapping,filter quality,noise", "pet owners,hardwood floors,apartments,carpets,allergy sufferers,large homes"),
        Of("mattresses", "matratze|matratzen|matelas|colchón|colchones|mattress|mattresses|pillow|pillows|topper",
            "Helix:helixsleep.com:Midnight Luxe; Saatva:saatva.com:Classic; Nectar:nectarsleep.com:Premier; Casper:casper.com:The One; Purple:purple.com:RestorePlus; Tempur-Pedic:tempurpedic.com:Adapt; DreamCloud:dreamcloudsleep.com:Premier; Leesa:leesa.com:Sapira; Avocado:avocadogreenmattress.com:Green; Bear:bearmattress.com:Elite Hybrid; Emma:emma-sleep.com:Original; IKEA:ikea.com:Valevåg",
            "pressure relief,edge support,cooling,motion isolation,trial period,durability", "side sleepers,back pain,couples,hot sleepers,heavy people,guest rooms"),
        Of("running shoes", "laufschuhe|chaussures de course|zapatillas|running shoe|running shoes|racing shoes|sneakers|trail shoes|walking shoes|5k",
            "Nike:nike.com:Vaporfly 3/Pegasus 41; adidas:adidas.com:Adizero Adios Pro 3/Boston 12; Saucony:saucony.com:Endorphin Pro 4/Ride 17; ASICS:asics.com:Metaspeed Sky/Novablast 5; New Balance:newbalance.com:SC Elite v4/1080; HOKA:hoka.com:Clifton 9/Mach 6; Brooks:brooksrunning.com:Ghost 16/Hyperion Max; Puma:puma.com:Deviate Nitro 3; On:on.com:Cloudboom; Altra:altrarunning.com:Torin; Mizuno:mizuno.com:Wave Rider",
            "cushioning,energy return,weight,fit,durability,grip", "5K races,marathons,wide feet,beginners,flat feet,daily training"),
        Of("CRM software", "crm|customer relationship|sales software|sales pipeline",
            "HubSpot:hubspot.com:Sales Hub; Salesforce:salesforce.com:Sales Cloud/Starter Suite; Pipedrive:pipedrive.com:; Zoho:zoho.com:CRM Plus/Bigin; monday:monday.com:CRM; Freshworks:freshworks.com:Freshsales; Microsoft:microsoft.com:Dynamics 365; Copper:copper.com:; Close:close.com:; Insightly:insightly.com:; Attio:attio.com:; Less Annoying CRM:lessannoyingcrm.com:; ActiveCampaign:activecampaign.com:",
            "pipeline management,email integration,reporting,automation,ease of use,pricing,support", "small businesses,startups,real estate,nonprofits,agencies,sales teams,freelancers"),
        Of("project management tools", "project management|task management|kanban|to-do app|issue tracker|work management",
            "Asana:asana.com:; monday.com:monday.com:; Trello:trello.com:; ClickUp:clickup.com:; Jira:atlassian.com:; Notion:notion.so:; Basecamp:basecamp.com:; Wrike:wrike.com:; Smartsheet:smartsheet.com:; Linear:linear.app:; Todoist:todoist.com:; Airtable:airtable.com:; Teamwork:teamwork.com:",
            "ease of use,automation,reporting,integrations,free plan,timeline views", "small teams,agencies,software teams,remote work,construction,freelancers"),
        Of("email marketing tools", "email marketing|newsletter|marketing automation|email campaign",
            "Mailchimp:mailchimp.com:; Brevo:brevo.com:; Klaviyo:klaviyo.com:; MailerLite:mailerlite.com:; ActiveCampaign:activecampaign.com:; Constant Contact:constantcontact.com:; Kit:kit.com:; GetResponse:getresponse.com:; HubSpot:hubspot.com:Marketing Hub; beehiiv:beehiiv.com:; Omnisend:omnisend.com:; Campaign Monitor:campaignmonitor.com:",
            "deliverability,automation,templates,pricing,segmentation,support", "small businesses,online shops,creators,nonprofits,beginners"),
        Of("accounting software", "buchhaltung|comptabilité|contabilidad|accounting|bookkeeping|invoicing|invoice|payroll",
            "QuickBooks:quickbooks.intuit.com:Online; Xero:xero.com:; FreshBooks:freshbooks.com:; Wave:waveapps.com:; Zoho:zoho.com:Books; Sage:sage.com:Accounting; NetSuite:netsuite.com:; Gusto:gusto.com:; FreeAgent:freeagent.com:; Lexware:lexware.de:Office; Bench:bench.co:",
            "bank feeds,invoicing,tax reports,ease of use,integrations,pricing", "freelancers,small businesses,restaurants,online shops,nonprofits"),
        Of("web hosting", "hosting|web host|website builder|cloud provider|vps|wordpress",
            "SiteGround:siteground.com:; Bluehost:bluehost.com:; Hostinger:hostinger.com:; WordPress.com:wordpress.com:; Squarespace:squarespace.com:; Wix:wix.com:; DigitalOcean:digitalocean.com:Droplets; Cloudways:cloudways.com:; Kinsta:kinsta.com:; Amazon Web Services:aws.amazon.com:Lightsail; Shopify:shopify.com:; Webflow:webflow.com:; Hetzner:hetzner.com:Cloud; DreamHost:dreamhost.com:",
            "speed,uptime,support,pricing,backups,ease of use", "small businesses,portfolios,online shops,developers,bloggers"),
        Of("VPN services", "vpn|vpns|privacy service",
            "NordVPN:nordvpn.com:; ExpressVPN:expressvpn.com:; Surfshark:surfshark.com:; Proton VPN:protonvpn.com:; Mullvad:mullvad.net:; Private Internet Access:privateinternetaccess.com:; CyberGhost:cyberghostvpn.com:; Windscribe:windscribe.com:; TunnelBear:tunnelbear.com:; IPVanish:ipvanish.com:",
            "speed,privacy policy,streaming access,device limit,pricing,server network", "streaming,travel,torrents,remote work,gaming,families"),
        Of("password managers", "password manager|password managers|passwords|passkeys",
            "1Password:1password.com:; Bitwarden:bitwarden.com:; Dashlane:dashlane.com:; Keeper:keepersecurity.com:; NordPass:nordpass.com:; Proton Pass:proton.me:; LastPass:lastpass.com:; RoboForm:roboform.com:; KeePassXC:keepassxc.org:; Enpass:enpass.io:",
            "security audits,ease of use,family sharing,free plan,passkey support,recovery", "families,small businesses,teams,beginners,privacy-minded people"),
        Of("cameras", "kamera|kameras|appareil photo|cámara|camera|cameras|mirrorless|dslr|action cam|vlogging",
            "Sony:sony.com:a7 IV/ZV-E10 II; Canon:canon.com:EOS R8/EOS R50; Fujifilm:fujifilm.com:X-T5/X-S20; Nikon:nikon.com:Z6 III/Z50 II; Panasonic:panasonic.com:Lumix S5 II; GoPro:gopro.com:HERO13 Black; DJI:dji.com:Osmo Pocket 3; Insta360:insta360.com:X4; OM System:omsystem.com:OM-5; Leica:leica-camera.com:Q3; Ricoh:ricoh-imaging.com:GR III",
            "autofocus,image stabilisation,low-light quality,lens selection,battery life,weight", "beginners,vlogging,travel,wildlife,portraits,sports"),
        Of("home security cameras", "security camera|security cameras|doorbell|video doorbell|baby monitor|home security|smart lock",
            "Ring:ring.com:Battery Doorbell Plus; Arlo:arlo.com:Pro 5S; Eufy:eufy.com:eufyCam S330/Video Doorbell E340; Google:google.com:Nest Cam; Wyze:wyze.com:Cam v4; Reolink:reolink.com:Argus 4 Pro; Blink:blinkforhome.com:Outdoor 4; SimpliSafe:simplisafe.com:; TP-Link:tp-link.com:Tapo C120; Lorex:lorex.com:; August:august.com:Wi-Fi Smart Lock",
            "video quality,local storage,battery life,subscription cost,person detection,privacy", "renters,large homes,front doors,apartments,no subscription,families"),
        Of("air fryers and blenders", "air fryer|air fryers|blender|blenders|toaster oven|kitchen appliance|food processor|stand mixer|multicooker",
            "Ninja:ninjakitchen.com:Foodi DualZone/Crispi; Philips:philips.com:Airfryer XXL; Instant:instanthome.com:Vortex Plus; Cosori:cosori.com:TurboBlaze; Vitamix:vitamix.com:E310/A3500; Breville:breville.com:Smart Oven Air; KitchenAid:kitchenaid.com:Artisan; Cuisinart:cuisinart.com:; Tefal:tefal.com:ActiFry; NutriBullet:nutribullet.com:Pro 900; Blendtec:blendtec.com:",
            "capacity,ease of cleaning,cooking evenness,noise,counter space,power", "families,small kitchens,smoothies,beginners,meal prep"),
        Of("skincare", "skincare|moisturizer|moisturiser|sunscreen|serum|cleanser|retinol|shampoo",
            "CeraVe:cerave.com:Moisturizing Cream/Hydrating Cleanser; La Roche-Posay:laroche-posay.com:Anthelios/Toleriane; The Ordinary:theordinary.com:Niacinamide 10%; Neutrogena:neutrogena.com:Hydro Boost; EltaMD:eltamd.com:UV Clear; Cetaphil:cetaphil.com:; Paula's Choice:paulaschoice.com:2% BHA; Supergoop!:supergoop.com:Unseen; Vanicream:vanicream.com:; Eucerin:eucerin.com:; Olaplex:olaplex.com:No. 4; COSRX:cosrx.com:Snail 96",
            "ingredients,gentleness,texture,price,fragrance,proven results", "sensitive skin,oily skin,dry skin,acne,mature skin,everyday use"),
        Of("luggage and backpacks", "koffer|rucksack|valise|maleta|luggage|suitcase|carry-on|carry on|backpack|backpacks|bag",
            "Away:awaytravel.com:The Carry-On; Travelpro:travelpro.com:Platinum Elite; Samsonite:samsonite.com:Freeform; Osprey:osprey.com:Farpoint 40/Fairview; Monos:monos.com:Carry-On; Briggs & Riley:briggs-riley.com:Baseline; Rimowa:rimowa.com:Essential; Peak Design:peakdesign.com:Travel Backpack; Tumi:tumi.com:; Patagonia:patagonia.com:Black Hole; Deuter:deuter.com:Aircontact",
            "durability,weight,warranty,organisation,wheels,capacity", "business travel,weekend trips,hiking,families,students,airline limits"),
        Of("electric cars and e-bikes", "electric car|electric cars|ev|evs|e-bike|e-bikes|ebike|electric bike|suv|scooter",
            "Tesla:tesla.com:Model 3/Model Y; Hyundai:hyundai.com:Ioniq 5; Kia:kia.com:EV6/EV9; BMW:bmw.com:i4; Ford:ford.com:Mustang Mach-E; Volkswagen:vw.com:ID.4; Chevrolet:chevrolet.com:Equinox EV; Rivian:rivian.com:R1S; Polestar:polestar.com:2; Specialized:specialized.com:Turbo Vado; Rad Power Bikes:radpowerbikes.com:RadRunner; Aventon:aventon.com:Level 3; Toyota:toyota.com:RAV4",
            "range,charging speed,interior quality,reliability,price,driver assistance", "families,commuting,long trips,first-time buyers,city driving"),
        Of("insurance and bank cards", "versicherung|kreditkarte|assurance|seguro|tarjeta de crédito|insurance|credit card|credit cards|bank|savings account|broker|mortgage|debit card",
            "GEICO:geico.com:; State Farm:statefarm.com:; Progressive:progressive.com:; USAA:usaa.com:; Chase:chase.com:Sapphire Preferred; American Express:americanexpress.com:Gold; Capital One:capitalone.com:Venture; Allstate:allstate.com:; Lemonade:lemonade.com:; Citi:citi.com:Double Cash; Ally:ally.com:; Revolut:revolut.com:; Wise:wise.com:; Fidelity:fidelity.com:",
            "fees,customer service,rewards,mobile app,claims handling,rates", "young drivers,travel,families,students,small businesses,beginners"),
        Of("office chairs and desks", "bürostuhl|schreibtisch|chaise de bureau|silla de oficina|office chair|desk chair|gaming chair|standing desk|ergonomic chair|chair",
            "Herman Miller:hermanmiller.com:Aeron/Embody; Steelcase:steelcase.com:Gesture/Leap; Branch:branchfurniture.com:Ergonomic Chair; Secretlab:secretlab.co:Titan Evo; IKEA:ikea.com:Markus; Autonomous:autonomous.ai:ErgoChair; HON:hon.com:Ignition; FlexiSpot:flexispot.com:E7; Uplift:upliftdesk.com:V2; Humanscale:humanscale.com:Freedom; Haworth:haworth.com:Fern",
            "lumbar support,adjustability,build quality,warranty,comfort,price", "back pain,tall people,home offices,gaming,long hours,budget buyers"),
        Of("pet supplies", "dog food|cat food|pet food|puppy|kitten|litter",
            "Purina:purina.com:Pro Plan; Hill's:hillspet.com:Science Diet; Royal Canin:royalcanin.com:; Blue Buffalo:bluebuffalo.com:; Orijen:orijenpetfoods.com:; The Farmer's Dog:thefarmersdog.com:; Wellness:wellnesspetfood.com:; Iams:iams.com:; Ollie:myollie.com:; Acana:acana.com:",
            "ingredients,digestibility,price,vet endorsement,protein content,availability", "puppies,senior dogs,sensitive stomachs,picky eaters,indoor cats"),
        Of("AI assistants", "ai assistant|ai tool|ai tools|chatbot|llm|copilot|ai writing|ai coding",
            "ChatGPT:openai.com:Plus; Claude:anthropic.com:Pro; Gemini:google.com:Advanced; Perplexity:perplexity.ai:Pro; Microsoft Copilot:microsoft.com:; GitHub Copilot:github.com:; Cursor:cursor.com:; Jasper:jasper.ai:; Grammarly:grammarly.com:; Notion AI:notion.so:; Mistral:mistral.ai:Le Chat; DeepSeek:deepseek.com:",
            "answer quality,privacy,pricing,integrations,speed,context length", "writing,programming,students,research,small businesses,customer support"),
        Of("baby and kids products", "stroller|strollers|car seat|baby|toddler|crib|toys|toy",
            "UPPAbaby:uppababy.com:Vista V2/Cruz; Nuna:nuna.eu:Pipa; Graco:gracobaby.com:4Ever; Chicco:chicco.com:KeyFit 35; BOB Gear:bobgear.com:Alterrain; Bugaboo:bugaboo.com:Fox 5; LEGO:lego.com:Classic; Baby Jogger:babyjogger.com:City Mini GT2; Britax:britax.com:; Thule:thule.com:Urban Glide; Doona:doona.com:",
            "safety ratings,weight,folding,comfort,durability,price", "city living,travel,twins,newborns,running parents"),
    ];

    /// <summary>Names for markets the simulator does not know; every one is made up.</summary>
    static readonly IReadOnlyList<KnownBrand> Neutral =
    [
        new("Northwind", ["One", "Pro"], "northwind.example"), new("Brightwell", ["Core"], "brightwell.example"), new("Kestrel & Co", [], "kestrel.example"),
        new("Halden", ["H2", "H4"], "halden.example"), new("Mirador", [], "mirador.example"), new("Fabrikam", ["Select"], "fabrikam.example"),
        new("Oakline", [], "oakline.example"), new("Veritas Home", [], "veritas.example"), new("Contoso", ["Plus"], "contoso.example"),
        new("Lumenor", ["L1"], "lumenor.example"), new("Tidewater", [], "tidewater.example"), new("Aldergate", [], "aldergate.example"),
    ];

    static readonly string[] NeutralFeatures = ["build quality", "customer support", "ease of use", "price", "reliability", "availability"];
    static readonly string[] NeutralUses = ["beginners", "small budgets", "families", "professionals", "travel", "everyday use"];

    static readonly (string Keyword, Topic Topic)[] ByKeyword =
        [.. Entries.SelectMany(entry => entry.Keywords.Split('|').Select(keyword => (keyword, entry.Topic))).OrderByDescending(pair => pair.keyword.Length)];

    static readonly Dictionary<string, KnownBrand> ByName = Entries.SelectMany(entry => entry.Topic.Brands)
        .GroupBy(brand => brand.Name, StringComparer.OrdinalIgnoreCase).ToDictionary(group => group.Key, group => group.First(), StringComparer.OrdinalIgnoreCase);

    public static IEnumerable<Topic> Topics => Entries.Select(entry => entry.Topic);

    /// <summary>The topic of a text: the longest known keyword in it; else that of a brand it names; else a neutral one.</summary>
    public static Topic TopicOf(string text, IReadOnlyList<string> namedBrands) => TopicOf(text, namedBrands, out _);

    /// <param name="word">The keyword as the text writes it, or the topic's name.</param>
    public static Topic TopicOf(string text, IReadOnlyList<string> namedBrands, out string word)
    {
        foreach (var (keyword, topic) in ByKeyword)
        {
            if (IndexOfWord(text, keyword) is var at and >= 0)
            {
                word = text.Substring(at, keyword.Length);
                return topic;
            }
        }
        foreach (var name in namedBrands)
        {
            if (TopicsOfBrand(name).FirstOrDefault() is { } topic)
            {
                word = topic.Name;
                return topic;
            }
        }
        word = NeutralNoun(text);
        return new Topic(word, Neutral, NeutralFeatures, NeutralUses);
    }

    /// <summary>The topics that a brand is known in, its strongest first.</summary>
    public static IEnumerable<Topic> TopicsOfBrand(string name) => Entries.Select(entry => entry.Topic)
        .Select(topic => (topic, index: IndexOf(topic, name))).Where(pair => pair.index >= 0).OrderBy(pair => pair.index).Select(pair => pair.topic);

    public static KnownBrand? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The known brands that a text names, in its order.</summary>
    public static IReadOnlyList<string> BrandsNamedIn(string text) =>
        [.. ByName.Keys.Select(name => (name, at: IndexOfWord(text, name))).Where(found => found.at >= 0 && IsName(text, found.at)).OrderBy(found => found.at).Select(found => found.name)];

    /// <summary>Names that a text writes with capitals and that no topic knows: a brand somebody asks about, real or not.</summary>
    public static IReadOnlyList<string> UnknownNamesIn(string text)
    {
        var names = new List<string>();
        foreach (Match match in CapitalisedRun().Matches(text))
        {
            var name = match.Value.Trim().TrimEnd('.', '-', '\'');
            // The first word of a sentence has its capital from there.
            var atStart = match.Index == 0 || text[..match.Index].TrimEnd() is { Length: > 0 } before && before[^1] is '.' or '?' or '!';
            if (atStart && !name.Contains(' ', StringComparison.Ordinal) && !Contrast().IsMatch(text))
                continue;
            if (atStart && OrdinaryFirstWord().Match(name) is { Success: true } ordinary)
                name = name[ordinary.Length..].Trim();
            if (name.Length >= 3 && !Ordinary.Contains(name) && !ByName.ContainsKey(name) && !ByName.Keys.Any(known => HasWord(name, known)) && !ByKeyword.Any(pair => HasWord(name, pair.Keyword)))
                names.Add(name);
        }
        return [.. names.Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    static readonly HashSet<string> Ordinary = new(StringComparer.OrdinalIgnoreCase)
    {
        "USB", "USB-C", "GPS", "USA", "Bluetooth", "Android", "iOS", "Windows", "Linux", "Mac", "Europe", "Germany", "Berlin", "London", "New York", "Amazon", "Black Friday", "Christmas",
        "What", "Which", "How", "Why", "Who", "Where", "Can", "Could", "Should", "Does", "Best", "Top", "Please", "Compare", "The", "Are", "And", "Reddit", "Europe", "English", "Prime Day",
    };

    static int IndexOf(Topic topic, string name)
    {
        for (var i = 0; i < topic.Brands.Count; i++)
        {
            if (string.Equals(topic.Brands[i].Name, name, StringComparison.OrdinalIgnoreCase))
                return i;
        }
        return -1;
    }

    // Some brands are everyday words (Close, On, Ring): they count only where they are written as names.
    static bool IsName(string text, int at) => at > 0 ? char.IsUpper(text[at]) || char.IsDigit(text[at]) : text.IndexOf(' ', StringComparison.Ordinal) is var space && (space < 0 || text[..space].Length > 4);

    public static bool HasWord(string text, string word) => IndexOfWord(text, word) >= 0;

    static int IndexOfWord(string text, string word)
    {
        for (var at = text.IndexOf(word, StringComparison.OrdinalIgnoreCase); at >= 0; at = text.IndexOf(word, at + 1, StringComparison.OrdinalIgnoreCase))
        {
            var end = at + word.Length;
            if ((at == 0 || !char.IsLetterOrDigit(text[at - 1])) && (end == text.Length || !char.IsLetterOrDigit(text[end])))
                return at;
        }
        return -1;
    }

    /// <summary>What an unknown market is called: the words of the query without the question around them.</summary>
    static string NeutralNoun(string text)
    {
        var words = WordBreak().Split(text.ToLowerInvariant()).Where(word => word.Length > 2 && !Frame.Contains(word)).Take(3).ToArray();
        return words.Length == 0 ? "options" : string.Join(' ', words);
    }

    static readonly HashSet<string> Frame = new(StringComparer.Ordinal)
    {
        "what", "which", "whats", "best", "top", "good", "recommend", "you", "can", "for", "the", "are", "is", "under", "below", "with", "and", "looking", "find", "help", "please", "buy",
        "should", "how", "much", "does", "cost", "most", "reliable", "alternatives", "alternative", "versus", "compare", "compared", "better", "than", "that", "near", "our", "your", "has", "have",
    };

    [GeneratedRegex(@"\b\p{Lu}[\p{L}\p{Nd}&'.\-]*(?:\s+(?:&\s+)?\p{Lu}[\p{L}\p{Nd}&'\-]*)*", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex CapitalisedRun();

    [GeneratedRegex(@"^(?:What|Which|How|Why|Who|Where|Can|Could|Should|Does|Do|Is|Are|Best|Top|Compare|Tell|Give|I|The|A|An)\b", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex OrdinaryFirstWord();

    [GeneratedRegex(@"\b(?:vs\.?|versus|alternatives?|reviews?|compared)\b", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex Contrast();

    [GeneratedRegex(@"[^\p{L}\p{Nd}\-]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex WordBreak();
}
