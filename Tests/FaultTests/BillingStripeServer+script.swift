extension StripeServer {
    /// localstripe's own application, customers, invoice items and invoices, behind a gate that does what it does not: connected accounts,
    /// idempotency keys, and faults. A fault is asked for by the account's name, `acct_<fault>_<step>`, and happens once.
    ///
    /// What localstripe 1.15.10 lacks of the API is added here: invoices without a subscription, lines for a named draft, and `finalize`.
    static let script = #"""
        import asyncio, json, os, sys, threading

        from aiohttp import web
        from localstripe import resources, server
        from localstripe.errors import UserError
        from localstripe.resources import Invoice, InvoiceItem, InvoiceLineItem

        folder = sys.argv[1]
        # Otherwise it keeps all of it in a file that every other one reads.
        resources.store.dump_to_disk = lambda: None


        def create_invoice(cls, customer=None, collection_method=None, days_until_due=None, currency=None, auto_advance=None,
                           pending_invoice_items_behavior=None, description=None, metadata=None, **unknown):
            if unknown or collection_method != 'send_invoice' or auto_advance != 'false' or not days_until_due.isdigit():
                raise UserError(400, 'Bad request')
            if pending_invoice_items_behavior != 'exclude' or not currency or currency != currency.lower():
                raise UserError(400, 'Bad request')
            invoice = cls(customer=customer, description=description, metadata=metadata)
            invoice.collection_method = collection_method
            invoice.days_until_due = int(days_until_due)
            invoice.currency = currency
            return invoice


        def create_item(cls, period=None, **data):
            item = cls(period_start=period['start'], period_end=period['end'], **data)
            invoice = Invoice._api_retrieve(item.invoice)
            if invoice.status != 'draft' or invoice.currency != item.currency or invoice.customer != item.customer:
                raise UserError(400, 'The invoice cannot take this item')
            invoice.lines._list.append(InvoiceLineItem(item))
            return item


        def finalize(id, auto_advance=None):
            invoice = Invoice._api_retrieve(id)
            if invoice.status != 'draft':
                raise UserError(400, 'This invoice is already finalized')
            invoice._finalize()
            return invoice


        Invoice._api_create = classmethod(create_invoice)
        InvoiceItem._api_create = classmethod(create_item)
        server.app.router.add_route(
            'POST', '/v1/invoices/{id}/finalize', server.api_extra(finalize, '/v1/invoices/{id}/finalize'))

        requests = []       # all that came
        owners = {}         # id -> connected account
        replies = {}        # (account, idempotency key) -> (what was asked, status, body); None while it is under way
        faults_done = set()


        def write(name, value):
            with open(os.path.join(folder, name + '.new'), 'w') as file:
                json.dump(value, file)
            os.rename(os.path.join(folder, name + '.new'), os.path.join(folder, name))


        def keep():
            write('requests', requests)
            write('invoices', [
                {'id': i.id, 'account': owners.get(i.id), 'status': i.status, 'subtotal': i.subtotal, 'currency': i.currency,
                 'daysUntilDue': i.days_until_due, 'metadata': i.metadata, 'customer': i.customer, 'description': i.description,
                 'lines': [{'amount': l.amount, 'description': l.description, 'period': l.period} for l in i.lines._list]}
                for key, i in resources.store.items() if key.startswith('invoice:')])
            write('customers', [
                {'id': c.id, 'account': owners.get(c.id), 'name': c.name, 'email': c.email, 'metadata': c.metadata}
                for key, c in resources.store.items() if key.startswith('customer:')])


        def refusal(status, message):
            return web.json_response({'error': {'type': 'invalid_request_error', 'message': message}}, status=status)


        def step_of(request):
            if request.path.endswith('/finalize'):
                return 'finalize'
            return request.path.split('/')[2] if request.method == 'POST' else 'get'


        def fault_of(account, request):
            parts = account.split('_')
            if len(parts) < 3 or parts[2] != step_of(request) or account in faults_done:
                return None
            if parts[1] != 'key':
                faults_done.add(account)
            return parts[1]


        async def vanish(request):
            request.transport.abort()
            await asyncio.sleep(3600)


        async def answered(request, handler, account, form):
            named = [v for v in list(form.values()) + request.path.split('/') if v in owners]
            if any(owners[name] != account for name in named):
                return refusal(404, 'No such object of this account')
            try:
                reply = await handler(request)
            except UserError as error:
                reply = error.to_response()
            return reply


        @web.middleware
        async def gate(request, handler):
            account = request.headers.get('Stripe-Account', '')
            key = request.headers.get('Idempotency-Key')
            form = dict(await request.post()) if request.method == 'POST' else {}
            note = {'step': step_of(request), 'path': request.path, 'account': account, 'key': key, 'form': form,
                    'authorization': request.headers.get('Authorization'), 'version': request.headers.get('Stripe-Version'),
                    'type': request.headers.get('Content-Type')}
            requests.append(note)
            keep()
            if not account or (request.method == 'POST') != (key is not None):
                return refusal(400, 'A header is missing')
            fault = fault_of(account, request)
            if fault in ('400', '401', '402', '409', '429', '500', '503'):
                return refusal(int(fault), 'As you wished')
            if fault == 'before':
                await vanish(request)
            if key is None:
                return await answered(request, handler, account, form)
            asked = [request.path, sorted(form.items())]
            if (account, key) in replies:
                known = replies[account, key]
                if known is None:
                    return refusal(409, 'Another request with this key is under way')
                if known[0] != asked:
                    return refusal(400, 'Keys for idempotent requests can only be used with the same parameters')
                note['replayed'] = True
                keep()
                return web.Response(status=known[1], body=known[2], content_type='application/json')
            replies[account, key] = None
            reply = await answered(request, handler, account, form)
            replies[account, key] = (asked, reply.status, reply.body)
            if reply.status == 200:
                owners[json.loads(reply.body)['id']] = account
            if fault == 'twice':
                extra = await answered(request, handler, account, form)
                owners[json.loads(extra.body)['id']] = account
            if fault == 'forget':
                del replies[account, key]
            keep()
            if fault in ('after', 'forget'):
                await vanish(request)
            if fault == 'hang':
                await asyncio.sleep(3600)
            return reply


        server.app.middlewares.insert(0, gate)


        async def main():
            runner = web.AppRunner(server.app, access_log=None, handler_cancellation=True)
            await runner.setup()
            site = web.TCPSite(runner, '127.0.0.1', 0)
            await site.start()
            keep()
            write('port', runner.addresses[0][1])
            # Its end is ours.
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            threading.Thread(
                target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(ended.set)), daemon=True).start()
            await ended.wait()
            os._exit(0)


        asyncio.run(main())
        """#
}
